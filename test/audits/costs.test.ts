import { expect, test } from 'vitest'
import { entry } from '../setup/entries.ts'
import { minute, range, reportOnEntries, verified } from './report-setup.ts'

test('fixes that say nothing of their tokens are no cost', async () => {
  const entries = range(40).flatMap((n) => [
    verified(`b${n}`, n * 10, 'fail'),
    entry({ workflow_run_id: `b${n}`, step_name: 'fix_1', timestamp: minute(n * 10 + 1) }),
    verified(`b${n}`, n * 10 + 2, 'pass'),
  ])
  const report = await reportOnEntries(entries)
  expect(report.insights).toEqual([])
})
