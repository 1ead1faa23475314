import fs from 'node:fs'
import path from 'node:path'

/**
 * Lists files next to the traces whose name is that of a trace plus a suffix of log rotation: `audit_trace.jsonl.1`,
 * `audit_trace.jsonl-20261101.gz`. A directory that cannot be listed has none.
 */
export function listRotated(traces: readonly string[]): string[] {
  const names = new Map<string, Set<string>>()
  for (const trace of traces) {
    const directory = path.dirname(trace)
    names.set(directory, (names.get(directory) ?? new Set()).add(path.basename(trace)))
  }
  return [...names].flatMap(([directory, known]) =>
    list(directory)
      .filter((name) => !known.has(name) && [...known].some((trace) => isRotated(name, trace)))
      .map((name) => path.join(directory, name)),
  )
}

const isRotated = (name: string, trace: string): boolean =>
  name.startsWith(trace) && /^[.-](?:\d|gz$|old$|bak$)/u.test(name.slice(trace.length))

function list(directory: string): string[] {
  try {
    return fs.readdirSync(directory).toSorted()
  } catch {
    return []
  }
}
