/** Whether at most `limit` edits (insert, delete, replace a letter, swap two neighbours) turn one text into the other. */
export function isWithin(limit: number, a: string, b: string): boolean {
  if (a === b) return true
  if (limit === 0 || Math.abs(a.length - b.length) > limit) return false
  let at = 0
  while (a[at] === b[at]) at++
  const [restA, restB] = [a.slice(at), b.slice(at)]
  return (
    isWithin(limit - 1, restA.slice(1), restB) ||
    isWithin(limit - 1, restA, restB.slice(1)) ||
    isWithin(limit - 1, restA.slice(1), restB.slice(1)) ||
    (restA[0] === restB[1] && restA[1] === restB[0] && isWithin(limit - 1, restA.slice(2), restB.slice(2)))
  )
}
