import { expect, test } from 'vitest'
import { entry } from '../setup/entries.ts'
import { minute, range, reportOnEntries, verified } from './report-setup.ts'

test('fixes without token counts are not listed as a cost', async () => {
  const entries = range(40).flatMap((n) => [
    verified(`b${n}`, n * 10, 'fail'),
    entry({ workflow_run_id: `b${n}`, step_name: 'fix_1', timestamp: minute(n * 10 + 1) }),
    verified(`b${n}`, n * 10 + 2, 'pass'),
  ])
  const report = await reportOnEntries(entries)
  expect(report.insights).toEqual([])
})

const withPrompt = (prompt: number, context: number, instruction: number) =>
  range(30).flatMap((n) => [
    entry({
      workflow_run_id: `b${n}`,
      timestamp: minute(n * 10),
      prompt_token_count: prompt,
      completion_token_count: 0,
      context_token_count: context,
      instruction_token_count: instruction,
    }),
    verified(`b${n}`, n * 10 + 1, 'pass'),
  ])

test('the share of GEMINI.md is that of the whole prompt, and a small share causes no advice to shorten it', async () => {
  const report = await reportOnEntries(withPrompt(20_000, 900, 100))
  expect(report.token_efficiency.prompt_share).toEqual([
    {
      phase: 'implement',
      context_tokens: 27_000,
      instruction_tokens: 3_000,
      other_tokens: 570_000,
      context_share: 0.045,
    },
  ])
  expect(report.insights).toEqual([])
})

test('a GEMINI.md that is most of the whole prompt is a cost', async () => {
  const report = await reportOnEntries(withPrompt(1_000, 900, 60))
  expect(report.insights.map(({ title, tokens }) => [title, tokens])).toEqual([
    ['GEMINI.md is 90.0 % of the prompts: a tenth of it costs 2,700 tokens', 2_700],
  ])
})

test('parts that are estimated to be larger than the prompt do not make the rest negative', async () => {
  const report = await reportOnEntries(withPrompt(900, 950, 50))
  expect(report.token_efficiency.prompt_share[0]).toMatchObject({ other_tokens: 0, context_share: 0.95 })
})
