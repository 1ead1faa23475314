import { expect, test } from 'vitest'
import { entry } from '../setup/entries.ts'
import { directoryOf, minute, reportText } from './report-setup.ts'

test('the Markdown fits a pull request, however many prompt versions there are and whatever their names', async () => {
  const hostile = '[x](http://evil) **|** <b>`&'
  const entries = Array.from({ length: 1_500 }, (_, n) => {
    // Two that can be compared, and many that cannot.
    const name = n < 100 ? `${hostile} ${n % 2}` : `${hostile.repeat(2)}${n}`
    const at = (step: number): string => minute(n * 3 + step / 10)
    const bad = n < 100 && n % 2 === 0
    return [
      entry({
        workflow_run_id: `r${n}`,
        timestamp: at(0),
        instruction_version: name,
        ...(n < 100 && { instruction_assignment: 'draw' }),
      }),
      ...(bad
        ? [
            entry({
              workflow_run_id: `r${n}`,
              step_name: 'verify',
              timestamp: at(1),
              validation_status: 'fail',
              validation_error_type: `${hostile}${n}`,
            }),
            entry({
              workflow_run_id: `r${n}`,
              step_name: `fix_${hostile.repeat(2)}${n}`,
              timestamp: at(2),
              total_token_cost: 1_000,
            }),
          ]
        : []),
      entry({ workflow_run_id: `r${n}`, step_name: 'verify', timestamp: at(3), validation_status: 'pass' }),
    ]
  }).flat()
  const markdown = await reportText(directoryOf(entries), { format: 'md' })
  expect(markdown.length).toBeLessThan(65_000)
  expect(markdown).toMatch(/closed builds \(0 in progress\) in 1 file; 0 lines rejected\.\n/u)
  expect(markdown).toContain('### Tested differences')
  expect(markdown).toContain('Change: Use \\[x\\](http://evil) \\*\\*\\|\\*\\* \\<b\\>\\`&amp; 1 in place of')
  expect(markdown).toContain('Assigned at random')
  expect(markdown.replaceAll(/\\./gu, '')).not.toMatch(/\[x\]|<b>/u)
  expect(markdown).toContain('more versions with as few); 20 each are needed.')
  expect(markdown).toContain('Implement steps by prompt version (12 of 1,402):')
})
