import type { OptimizationLogEntry } from '../../src/entry/entry.ts'

export const HASH_A = 'a'.repeat(64)
export const HASH_B = 'b'.repeat(64)

/** Returns an entry with the required fields and those that the test is about. */
export function entry(fields: Partial<OptimizationLogEntry> = {}): OptimizationLogEntry {
  return {
    workflow_run_id: 'run-1',
    step_name: 'implement_v1',
    timestamp: '2026-11-20T11:00:00.000Z',
    ...fields,
  }
}

/** Entries (or any values) as the lines of a file. */
export const lines = (...entries: unknown[]): string =>
  entries.map((value) => `${JSON.stringify(value)}\n`).join('')
