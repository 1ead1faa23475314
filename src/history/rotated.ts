import fs from 'node:fs'
import path from 'node:path'

/**
 * Files beside the traces that carry a trace's name and more, as rotation leaves them: `audit_trace.jsonl.1`,
 * `audit_trace.jsonl-20261101.gz`. None where a directory cannot be listed.
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
