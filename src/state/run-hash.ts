/**
 * FNV-1a over the UTF-16 code units of a run id, as a signed number of 32 bits. Several ids may share one. It stands in
 * the column `run_hash` of `builds`, so it never changes. Source: http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function runHash(runId: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < runId.length; i++) hash = Math.imul(hash ^ runId.charCodeAt(i), 0x01000193)
  return hash | 0
}
