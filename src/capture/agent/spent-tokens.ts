import { randomUUID } from 'node:crypto'
import { appendFile, readFile } from 'node:fs/promises'
import path from 'node:path'

/** Tokens, cost and time of one attempt at a step. Unknown values are absent. */
export interface Spent {
  readonly prompt?: number
  /** The part of the prompt that came from a cache. */
  readonly cached?: number
  readonly completion?: number
  /** Whether the counts are exact, not estimated or partial. */
  readonly isWhole: boolean
  readonly costUsd?: number
  readonly durationMs?: number
  readonly model?: string
}

export interface Attempt {
  readonly id: string
  /** Identifies the step: the same for all its attempts. */
  readonly key: string
}

export interface OpenAttempt extends Attempt {
  /** In milliseconds since 1970. */
  readonly begunMs: number
  /** When the next attempt in this directory began. */
  readonly untilMs?: number
}

/** The sum over all attempts at a step. */
export interface StepSpent extends Spent {
  readonly attempts: number
}

/** Stands next to the trace; like the trace, it is ignored when the agent's files are listed. */
const FILE = '.audit_trace.jsonl.spent'

/** Records the start of an attempt at the step `key`. If its worker dies, the next one can find out what it spent. */
export async function beginAttempt(dir: string, key: string, nowMs = Date.now()): Promise<Attempt> {
  const attempt = { id: randomUUID(), key }
  await note(dir, { ...attempt, begunMs: nowMs })
  return attempt
}

/** Records what an attempt spent. A later record of the same attempt replaces it. */
export async function endAttempt(dir: string, { id, key }: Attempt, spent: Spent): Promise<void> {
  await note(dir, { id, key, spent })
}

/** Attempts that have a start but no end. */
export async function openAttempts(dir: string): Promise<OpenAttempt[]> {
  const lines = await notes(dir)
  const ended = new Set(lines.filter(({ spent }) => spent !== undefined).map(({ id }) => id))
  const begun = lines.flatMap(({ id, key, begunMs }) => (begunMs === undefined ? [] : [{ id, key, begunMs }]))
  return begun.flatMap((attempt, index) => {
    if (ended.has(attempt.id)) return []
    const next = begun[index + 1]
    return [{ ...attempt, ...(next === undefined ? {} : { untilMs: next.begunMs }) }]
  })
}

/**
 * What all attempts at the step `key` spent. Failed attempts are billed too, so the audits must count them.
 */
export async function sumAttempts(dir: string, key: string): Promise<StepSpent> {
  const attempts = new Map<string, Spent>()
  for (const { id, key: of, spent = { isWhole: false } } of await notes(dir)) {
    if (of === key) attempts.set(id, spent)
  }
  const all = [...attempts.values()]
  const sum = (pick: (spent: Spent) => number | undefined): number =>
    all.reduce((total, spent) => total + (pick(spent) ?? 0), 0)
  const prompt = sum((spent) => spent.prompt)
  const completion = sum((spent) => spent.completion)
  // An attempt without a prompt adds nothing to its cached part; one whose cached part is unknown leaves the sum unknown.
  const isCachedKnown = all.every(({ prompt, cached }) => prompt === undefined || cached !== undefined)
  const isWhole = all.every((spent) => spent.isWhole)
  const isCostKnown = isWhole && all.every(({ costUsd }) => costUsd !== undefined)
  const model = all.findLast((spent) => spent.model !== undefined)?.model
  return {
    attempts: all.length,
    isWhole,
    // Every answered call has a prompt, so a sum of 0 means that nothing is known or nothing was answered.
    ...(prompt + completion > 0 ? { prompt, completion } : {}),
    ...(prompt + completion > 0 && isCachedKnown ? { cached: sum((spent) => spent.cached) } : {}),
    ...(isCostKnown ? { costUsd: sum((spent) => spent.costUsd) } : {}),
    ...(all.some(({ durationMs }) => durationMs !== undefined)
      ? { durationMs: sum((spent) => spent.durationMs) }
      : {}),
    ...(model === undefined ? {} : { model }),
  }
}

interface Note extends Attempt {
  readonly begunMs?: number
  readonly spent?: Spent
}

/** The line also begins with a newline: a killed worker may have left its last line without one. */
async function note(dir: string, line: Note): Promise<void> {
  await appendFile(path.join(dir, FILE), `\n${JSON.stringify(line)}\n`)
}

async function notes(dir: string): Promise<Note[]> {
  const text = await readFile(path.join(dir, FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return text.split('\n').flatMap(parse)
}

/** Incomplete lines of a killed worker are skipped. */
function parse(line: string): Note[] {
  try {
    return line === '' ? [] : [JSON.parse(line) as Note]
  } catch {
    return []
  }
}
