const MAX_NAMES = 2_000
const MAX_BYTES = 400_000

/**
 * As many of the names as fit into the result of a Temporal activity (2 MB), next to its other fields. If some are left
 * out, the last item says so: `[… 23000 of 25000 files left out …]`.
 */
export function boundedNames(names: readonly string[]): string[] {
  let bytes = 0
  const first = names.findIndex((name, index) => {
    bytes += Buffer.byteLength(JSON.stringify(name))
    return index === MAX_NAMES || bytes > MAX_BYTES
  })
  if (first === -1) return [...names]
  const omitted = names.length - first
  return [...names.slice(0, first), `[… ${String(omitted)} of ${String(names.length)} files left out …]`]
}
