import { appendFile, readFile } from 'node:fs/promises'
import path from 'node:path'

/** What one attempt at a step took. */
export interface Spent {
  readonly prompt: number
  readonly completion: number
  /** Absent where it is not known, which makes the sum unknown. */
  readonly costUsd?: number
}

/** Beside the trace, and passed over like it where the agent's files are looked for. */
const FILE = '.audit_trace.jsonl.spent'

/**
 * Notes what an attempt at the step `key` took, and returns what all its attempts took together. An attempt that
 * failed was paid for like the one that succeeds: what the audits count must hold both. An attempt whose CLI was
 * killed tells nothing, and is not in the sum.
 */
export async function addSpent(dir: string, key: string, spent: Spent): Promise<Spent> {
  const file = path.join(dir, FILE)
  await appendFile(file, `${JSON.stringify({ key, ...spent })}\n`)
  const attempts = (await readFile(file, 'utf8')).split('\n').flatMap((line) => parse(line, key))
  const costs = attempts.map(({ costUsd }) => costUsd)
  const isCostKnown = costs.every((cost) => cost !== undefined)
  return {
    prompt: attempts.reduce((sum, attempt) => sum + attempt.prompt, 0),
    completion: attempts.reduce((sum, attempt) => sum + attempt.completion, 0),
    ...(isCostKnown ? { costUsd: costs.reduce((sum, cost) => sum + cost, 0) } : {}),
  }
}

/** A line that a killed worker left unfinished is passed over. */
function parse(line: string, key: string): Spent[] {
  try {
    const attempt = JSON.parse(line) as Spent & { key: string }
    return attempt.key === key ? [attempt] : []
  } catch {
    return []
  }
}
