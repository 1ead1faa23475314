import type { OptimizationLogEntry } from '../../src/entry/entry.ts'

/** What became of a build once it is idle, told from its entries alone, as the design of the audits defines it. */
export function outcomeOf(entries: readonly OptimizationLogEntry[]): string {
  const passes = entries.findIndex((entry) => entry.validation_status === 'pass')
  const before = passes === -1 ? entries : entries.slice(0, passes)
  const failed = before.some((entry) => entry.validation_status === 'fail')
  const reworked = before.some((entry) => /^(fix|repair)/.test(entry.step_name))
  if (passes === -1) return failed ? 'failed' : 'abandoned'
  return failed || reworked ? 'after_rework' : 'first_pass'
}
