import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { takeSnapshot, type Snapshot } from './workspace.ts'

/** Beside the trace, and passed over like it where the agent's files are looked for. */
const FILE = '.audit_trace.jsonl.before'

/**
 * The workspace as it stood before the first attempt at the step `key`: what an attempt that failed had written was
 * touched by the step all the same.
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

/** `undefined` for what a killed worker left unfinished: its attempt had not begun. */
function parse(text: string): Noted | undefined {
  try {
    return JSON.parse(text) as Noted
  } catch {
    return undefined
  }
}
