import { expect, test } from 'vitest'
import { entry } from '../setup/entries.ts'
import { minute, range, reportOnEntries, verified } from './report-setup.ts'

test('a saving never exceeds what was spent, however many steps a build has', async () => {
  const entries = range(400).flatMap((n) => {
    const [id, at] = [`b${n}`, n * 20]
    const bad = n % 2 === 0
    const steps = range(10).map((i) =>
      entry({
        workflow_run_id: id,
        step_name: `implement_${i}`,
        timestamp: minute(at + i / 10),
        completion_token_count: 50,
        prompt_token_count: 50,
        instruction_version: bad ? 'bad' : 'good',
      }),
    )
    const rework =
      bad && n % 10 < 6
        ? [
            verified(id, at + 2, 'fail'),
            entry({
              workflow_run_id: id,
              step_name: 'fix_1',
              timestamp: minute(at + 3),
              total_token_cost: 1_000,
            }),
          ]
        : []
    return [...steps, ...rework, verified(id, at + 4, 'pass')]
  })
  const report = await reportOnEntries(entries)
  const insight = report.insights.find(({ title }) => title.includes('more builds pass at first with good'))
  const rework = report.token_efficiency.fix_cost.reduce((sum, { tokens }) => sum + tokens, 0)
  expect(rework).toBe(120_000)
  expect(insight?.tokens).toBeGreaterThan(rework * 0.9)
  expect(insight?.tokens).toBeLessThanOrEqual(rework)
  expect(insight?.change).toContain('(used in 200 builds of this period)')
})
