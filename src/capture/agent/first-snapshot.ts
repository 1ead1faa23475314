import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { takeSnapshot, type Snapshot } from './workspace.ts'

/** Stands next to the trace; like the trace, it is ignored when the agent's files are listed. */
const FILE = '.audit_trace.jsonl.before'

/**
 * The state of the workspace before the first attempt at the step `key`. Files that a failed attempt wrote count as
 * touched by the step.
 */
export async function firstSnapshot(dir: string, key: string): Promise<Snapshot> {
  const file = path.join(dir, FILE)
  const kept = parse(await readFile(file, 'utf8').catch(() => ''))
  if (kept?.key === key) return new Map(kept.files)
  const snapshot = await takeSnapshot(dir)
  const noted: Noted = { key, files: [...snapshot] }
  await writeFile(file, JSON.stringify(noted))
  return snapshot
}

interface Noted {
  readonly key: string
  readonly files: readonly (readonly [string, string])[]
}

/** `undefined` for an incomplete file. Its worker was killed before the attempt began. */
function parse(text: string): Noted | undefined {
  try {
    return JSON.parse(text) as Noted
  } catch {
    return undefined
  }
}
