import { test } from 'vitest'
import { contextShare, cost, validations } from '../../../grafana/parts/measures.ts'
import { expectSamples } from '../../setup/promtool.ts'

const ofAllJobs = (expr: string): string => expr.replaceAll('$job', '.*')
const price = (window: string): string =>
  ofAllJobs(cost({ window })).replaceAll('$price_prompt', '2').replaceAll('$price_completion', '10')

test.each([
  ['only totals', { unsplit: 1_000 }, 2_000],
  ['only completions', { completion: 1_000 }, 10_000],
  ['prompts and completions', { prompt: 1_000, completion: 100 }, 3_000],
] as const)('the cost of traces with %s is right', async (_, tokens, micros) => {
  const input = Object.entries(tokens).map(([type, perScrape]) => ({
    series: `audit_tokens_total{type="${type}"}`,
    values: `0+${perScrape}x250`,
  }))
  // Off the scrapes, so that no sample is on the boundary of the range.
  const expr = `round(${price('1h')} * 1e6 / 240)`
  await expectSamples('2', { input, expr, at: '1h1m7s', samples: { '{}': micros } })
})

test('a pass is a validation in the phase verify only, a failure in any phase', async () => {
  const entries = (phase: string, status: string, values: string) => ({
    series: `audit_entries_total{phase="${phase}",status="${status}"}`,
    values,
  })
  const input = [
    entries('scaffold', 'pass', '0x100 1000x200'),
    entries('implement', 'fail', '0x100 3x200'),
    entries('verify', 'pass', '0x100 20x200'),
    entries('verify', 'fail', '0x100 100x200'),
    entries('verify', 'N/A', '0x100 5000x200'),
  ]
  await expectSamples('2', {
    input,
    expr: ofAllJobs(validations({ window: '1h' })),
    at: '1h',
    samples: { '{}': 123 },
  })
})

test('the share of GEMINI.md is that of the whole prompt, the other parts included', async () => {
  const part = (name: string, tokens: number) => ({
    series: `audit_prompt_tokens_total{phase="rework",part="${name}"}`,
    values: `0x100 ${tokens}x200`,
  })
  const input = [part('context', 1_500), part('instruction', 500), part('other', 8_000)]
  await expectSamples('2', {
    input,
    expr: ofAllJobs(contextShare({ window: '1h' })),
    at: '1h',
    samples: { '{}': 0.15 },
  })
})
