import { expect, test } from 'vitest'
import {
  contextShare,
  cost,
  firstPassBound,
  firstPassRate,
  validations,
} from '../../../grafana/parts/measures.ts'
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

test('the cost by phase is that of the tokens of each phase', async () => {
  const tokens = (phase: string, type: string, values: string) => ({
    series: `audit_tokens_total{phase="${phase}",type="${type}"}`,
    values,
  })
  const input = [
    tokens('implement', 'prompt', '0x100 2000000x200'),
    tokens('implement', 'completion', '0x100 100000x200'),
    tokens('rework', 'unsplit', '0x100 500000x200'),
    tokens('scaffold', 'prompt', '9x300'),
  ]
  const expr = ofAllJobs(cost({ by: ['phase'], window: '1h' }))
    .replaceAll('$price_prompt', '2')
    .replaceAll('$price_completion', '10')
  const samples = { '{phase="implement"}': 5, '{phase="rework"}': 1 }
  await expectSamples('2', { input, expr, at: '1h', samples })
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

/** The formula as textbooks have it (Wilson 1927). */
function wilson(x: number, n: number, sign: 1 | -1): number {
  const [p, z] = [x / n, 1.96]
  const spread = z * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2))
  return (p + z ** 2 / (2 * n) + sign * spread) / (1 + z ** 2 / n)
}

test.each([
  ['some of each outcome', { first_pass: 12, after_rework: 20, failed: 9, abandoned: 50 }, 12, 41],
  ['none that passed', { after_rework: 13, failed: 14 }, 0, 27],
  ['nothing but passes', { first_pass: 25 }, 25, 25],
] as const)('the first-pass rate and its interval are right with %s', async (_, outcomes, x, n) => {
  const input = Object.entries(outcomes).map(([outcome, builds]) => ({
    series: `audit_builds_total{outcome="${outcome}"}`,
    values: `0x100 ${builds}x200`,
  }))
  // Compared with the textbook's to ten digits, in which promtool has no tolerance.
  const rounded = (expr: string): string => `round((${ofAllJobs(expr)}) * 1e10)`
  for (const [expr, value] of [
    [firstPassRate({ window: '1h' }), x / n],
    [firstPassBound('lower', { window: '1h' }), wilson(x, n, -1)],
    [firstPassBound('upper', { window: '1h' }), wilson(x, n, 1)],
  ] as const) {
    const samples = { '{}': Math.abs(Math.round(value * 1e10)) }
    await expectSamples('2', { input, expr: rounded(expr), at: '1h', samples })
  }
})

test('from fewer than 20 judged builds there is neither a rate nor an interval', async () => {
  const input = [
    { series: 'audit_builds_total{outcome="abandoned"}', values: '0x100 30x200' },
    { series: 'audit_builds_total{outcome="first_pass"}', values: '0x100 19x200' },
  ]
  for (const expr of [firstPassRate({ window: '1h' }), firstPassBound('lower', { window: '1h' })])
    await expectSamples('2', { input, expr: ofAllJobs(expr), at: '1h', samples: {} })
})

test('the cost and the interval evaluate each sum once', () => {
  const evaluations = (expr: string): number => expr.split(') unless last_over_time(').length - 1
  expect(evaluations(cost({ by: ['phase'] }))).toBe(1)
  // The builds that passed, all of them, and both kinds in one vector.
  expect(evaluations(firstPassBound('upper', {}))).toBe(3)
})
