import type { EntryWarning, RejectReason } from '../entry/parse.ts'
import type { Ledger, Series } from './ledger.ts'

/** Counts the results for bytes, lines and files. Exact like the audits, because alerts use these counters. */
export interface ReadingCounters {
  bytes(result: 'counted' | 'rejected' | 'skipped', amount: number): void
  rejected(reason: RejectReason): void
  warning(reason: EntryWarning): void
  truncation(): void
  rotation(): void
}

/** All of its series exist from the start, at zero, except those of warnings that only newer fields can cause. */
export function createReadingCounters(ledger: Ledger): ReadingCounters {
  const bytes = {
    counted: ledger.series('readBytes', ['counted']),
    rejected: ledger.series('readBytes', ['rejected']),
    skipped: ledger.series('readBytes', ['skipped']),
  }
  const rejected = {
    invalid_json: ledger.series('rejectedLines', ['invalid_json']),
    schema: ledger.series('rejectedLines', ['schema']),
    too_long: ledger.series('rejectedLines', ['too_long']),
    invalid_utf8: ledger.series('rejectedLines', ['invalid_utf8']),
  }
  const cachedMismatch = (): Series => ledger.series('entryWarnings', ['cached_mismatch'])
  const warnings = {
    total_mismatch: ledger.series('entryWarnings', ['total_mismatch']),
    rework_cost_factor_mismatch: ledger.series('entryWarnings', ['rework_cost_factor_mismatch']),
    timestamp_in_future: ledger.series('entryWarnings', ['timestamp_in_future']),
    welded: ledger.series('entryWarnings', ['welded']),
  }
  const truncations = ledger.series('truncations', [])
  const rotations = ledger.series('rotations', [])
  return {
    bytes: (result, amount) => ledger.add(bytes[result], amount),
    rejected: (reason) => ledger.add(rejected[reason], 1),
    warning: (reason) => ledger.add(reason === 'cached_mismatch' ? cachedMismatch() : warnings[reason], 1),
    truncation: () => ledger.add(truncations, 1),
    rotation: () => ledger.add(rotations, 1),
  }
}
