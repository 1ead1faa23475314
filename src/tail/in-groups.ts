/** The first `most` items in groups of `size`; the last group may be smaller. */
export function* inGroups<T>(items: Iterable<T>, size: number, most = Infinity): Generator<T[]> {
  let group: T[] = []
  let left = most
  for (const item of items) {
    if (left-- <= 0) break
    group.push(item)
    if (group.length < size) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
