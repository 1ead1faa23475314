import type { DatabaseSync } from 'node:sqlite'

/**
 * Version 7 to 8: sums of counters by fewer labels are counted beside them (decisions/190). They begin with the sums of
 * what stands in the state, hidden revisions included. What they show at first is the sum of what was shown: from there on
 * they rise by as much as the counters that they add up.
 */
export const sums = (database: DatabaseSync, nowMs: number): void => addSums(database, nowMs, SUMS)

/** Version 8 to 9: the same by phase alone. */
export const sumsByPhase = (database: DatabaseSync, nowMs: number): void => addSums(database, nowMs, BY_PHASE)

function addSums(database: DatabaseSync, nowMs: number, added: typeof SUMS): void {
  const baselineEnded =
    database.prepare("SELECT 1 FROM meta WHERE key = 'baseline_ended' AND value = '1'").get() !== undefined
  const insert = database.prepare(
    'INSERT INTO series (metric, labels, data, base, base_seen, born_ms) VALUES (?, ?, ?, ?, 0, ?)',
  )
  const rows = database.prepare('SELECT labels, data, base FROM series WHERE metric = ?')
  for (const [metric, of, kept] of added) {
    for (const [labels, sum] of sumsOf(rows.iterate(of), of, kept)) {
      // The baseline of a first start that has not ended is shown at full value, with what is still added to it.
      const base = baselineEnded || sum.isHeld ? JSON.stringify(sum.base) : null
      insert.run(metric, labels, JSON.stringify(sum.data), base, nowMs)
    }
  }
}

/** Metric of the sum, metric that it adds up, and the labels that it keeps, sorted by name as in a row. */
const SUMS: readonly (readonly [metric: string, of: string, kept: readonly string[]])[] = [
  ['audit.overall_entries', 'audit.entries', ['error_type', 'phase', 'status', 'step']],
  ['audit.context_entries', 'audit.entries', ['context_hash', 'phase', 'status']],
  ['audit.overall_tokens', 'audit.tokens', ['error_type', 'phase', 'step', 'type']],
  ['audit.overall_prompt_tokens', 'audit.prompt_tokens', ['part', 'phase']],
  ['audit.overall_rework_completion_tokens', 'audit.rework_completion_tokens', ['error_type']],
  ['audit.overall_rework_error_log_chars', 'audit.rework_error_log_chars', ['error_type']],
  ['audit.overall_builds', 'audit.builds', ['outcome', 'project']],
  ['audit.overall_build_tokens', 'audit.build_tokens', ['outcome', 'project']],
]

const BY_PHASE: typeof SUMS = [
  ['audit.phase_entries', 'audit.entries', ['phase', 'status']],
  ['audit.phase_tokens', 'audit.tokens', ['phase', 'type']],
  ['audit.phase_rework_completion_tokens', 'audit.rework_completion_tokens', []],
  ['audit.phase_rework_error_log_chars', 'audit.rework_error_log_chars', []],
]

interface Sum {
  data: number
  /** What is shown of it: the base of a series that waits at it, else its data. */
  base: number
  isHeld: boolean
}

function sumsOf(
  rows: Iterable<Record<string, unknown>>,
  of: string,
  kept: readonly string[],
): Map<string, Sum> {
  const found = new Map<string, Sum>()
  for (const { labels: text, data, base } of rows) {
    const labels = JSON.parse(String(text)) as Record<string, string>
    const pairs = kept.flatMap((label) => (labels[label] === undefined ? [] : [[label, labels[label]]]))
    const key = JSON.stringify(Object.fromEntries(pairs))
    const sum = found.get(key) ?? { data: 0, base: 0, isHeld: false }
    const value = numberOf(data, of)
    sum.data += value
    sum.base += base === null ? value : numberOf(base, of)
    sum.isHeld ||= base !== null
    found.set(key, sum)
  }
  return found
}

function numberOf(text: unknown, metric: string): number {
  const value: unknown = JSON.parse(String(text))
  if (typeof value === 'number') return value
  throw new Error(`series of ${metric} has no number: ${String(text)}`)
}
