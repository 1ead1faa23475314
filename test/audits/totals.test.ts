import { expect, test } from 'vitest'
import { entry } from '../setup/entries.ts'
import { reportOnEntries } from './report-setup.ts'

test('builds in progress are those of the period', async () => {
  const open = (id: string, timestamp: string) => entry({ workflow_run_id: id, timestamp })
  // NOW of the reports is 2026-11-20 12:00.
  const entries = [open('a', '2026-11-20T11:20:00Z'), open('b', '2026-11-20T11:50:00Z')]
  const inProgress = async (flags: { since?: string; until?: string }) =>
    (await reportOnEntries(entries, flags)).totals.builds_in_progress
  expect(await inProgress({})).toBe(2)
  expect(await inProgress({ since: '2026-11-20T11:30:00Z' })).toBe(1)
  expect(await inProgress({ until: '2026-11-20T11:00:00Z' })).toBe(0)
})
