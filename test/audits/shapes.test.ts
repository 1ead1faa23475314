import { expect, test } from 'vitest'
import type { Report } from '../../src/audits/schema.ts'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { createRandom, type Random } from '../../src/simulate/random.ts'
import { entry, HASH_A, HASH_B } from '../setup/entries.ts'
import { minute, reportOnEntries } from './report-setup.ts'

/** Shapes of traces that can mislead: many steps in a build, packages side by side, outliers, verdicts in the fix. */

const found = (report: Report) => [
  ...report.insights.filter(({ kind }) => kind === 'finding'),
  ...report.confirmed,
]

/** About normal, with a mean of 0 and a deviation of 1. */
const bell = (random: Random): number =>
  Array.from({ length: 12 }, () => random.next()).reduce((sum, value) => sum + value, -6)

/** 60 builds of 6 implement steps each, the steps of a build like each other, either wording the same. */
function stepsOfLikeBuilds(seed: string): OptimizationLogEntry[] {
  const random = createRandom(seed)
  return Array.from({ length: 60 }, (_, n) => n).flatMap((n) => {
    const [id, usual] = [`b${n}`, 5_000 + 1_000 * bell(random)]
    const wording = random.chance(0.5) ? 'x@1' : 'x@2'
    const steps = Array.from({ length: 6 }, (_, i) =>
      entry({
        workflow_run_id: id,
        step_name: `implement_${i}`,
        timestamp: minute(n * 30 + i),
        prompt_token_count: 100,
        completion_token_count: Math.max(1, Math.round(usual + 300 * bell(random))),
        instruction_version: wording,
      }),
    )
    return [...steps, verified(id, n * 30 + 8, 'pass')]
  })
}

const verified = (
  id: string,
  at: number,
  status: 'pass' | 'fail',
  more: Partial<OptimizationLogEntry> = {},
) =>
  entry({
    workflow_run_id: id,
    step_name: 'verify',
    timestamp: minute(at),
    validation_status: status,
    ...(status === 'fail' && { validation_error_type: 'TSC_ERROR' }),
    ...more,
  })

/** One build of one step that passes at once. */
const cheap = (id: string, at: number, tokens: number, hash: string): OptimizationLogEntry[] => [
  entry({ workflow_run_id: id, timestamp: minute(at), total_token_cost: tokens, context_file_hash: hash }),
  verified(id, at + 1, 'pass', { context_file_hash: hash }),
]

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

test('steps of one build are no independent evidence: noise with many of them shows no more findings', async () => {
  let withFindings = 0
  for (const n of range(40)) {
    const report = await reportOnEntries(stepsOfLikeBuilds(`steps-${n}`))
    expect(report.prompt_refinement.comparisons.length).toBeGreaterThan(0)
    if (found(report).length > 0) withFindings++
  }
  // 5 in 100 are to be expected; more than 7 of 40 have a probability below 0.002.
  expect(withFindings).toBeLessThanOrEqual(7)
})

test('wordings are compared by builds, and only by those that used one of them alone', async () => {
  const entries = range(90).flatMap((n) => {
    const wordings = n < 30 ? ['a', 'a'] : n < 60 ? ['b', 'b'] : ['a', 'b']
    return [
      ...wordings.map((instruction_version, i) =>
        entry({
          workflow_run_id: `b${n}`,
          step_name: `implement_${i}`,
          timestamp: minute(n * 10 + i),
          completion_token_count: 100 + (instruction_version === 'b' ? 50 : 0) + (n % 7),
          instruction_version,
        }),
      ),
      verified(`b${n}`, n * 10 + 5, 'pass'),
    ]
  })
  const report = await reportOnEntries(entries)
  expect(report.prompt_refinement.comparisons).toMatchObject([
    { measure: 'first_pass_rate', comparison: { n: [30, 30] } },
    { measure: 'completion_tokens', first: 'a', second: 'b', comparison: { n: [30, 30] } },
  ])
  const tokens = report.prompt_refinement.comparisons[1]?.comparison
  expect((tokens?.second ?? 0) - (tokens?.first ?? 0)).toBeCloseTo(100, -1)
})

test('a fix that carries its own verdict is judged by that', async () => {
  const entries = range(30).flatMap((n) => [
    verified(`b${n}`, n * 10, 'fail'),
    verified(`b${n}`, n * 10 + 1, 'fail', {
      step_name: 'repair_attempt_1',
      total_token_cost: 10,
      instruction_version: 'first',
    }),
    verified(`b${n}`, n * 10 + 2, 'pass', {
      step_name: 'repair_attempt_2',
      total_token_cost: 10,
      instruction_version: 'second',
    }),
  ])
  const { fixes } = (await reportOnEntries(entries)).prompt_refinement
  expect(fixes).toMatchObject([
    { instruction_version: 'first', judged: 30, passed: 0 },
    { instruction_version: 'second', judged: 30, passed: 30 },
  ])
})

test('no more is to be saved than was spent, however many steps a build has', async () => {
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

test('fixes that say nothing of their tokens are no cost', async () => {
  const entries = range(40).flatMap((n) => [
    verified(`b${n}`, n * 10, 'fail'),
    entry({ workflow_run_id: `b${n}`, step_name: 'fix_1', timestamp: minute(n * 10 + 1) }),
    verified(`b${n}`, n * 10 + 2, 'pass'),
  ])
  const report = await reportOnEntries(entries)
  expect(report.insights).toEqual([])
})

test('where a few outliers outweigh all other builds, neither direction is called a finding', async () => {
  const entries = range(400).flatMap((n) => {
    const before = n < 200
    const outlier = !before && n % 16 === 0
    return cheap(
      `b${n}`,
      n * 10,
      before ? 1_000 + (n % 97) : outlier ? 60_000 : 900 + (n % 97),
      before ? HASH_A : HASH_B,
    )
  })
  const report = await reportOnEntries(entries)
  const [change] = report.constraint_effectiveness.changes
  expect(change?.tokens_per_build).toMatchObject({ agrees: false })
  expect(change?.tokens_per_build?.q).toBeLessThan(0.05)
  expect(change?.tokens_per_build?.difference.low).toBeGreaterThan(0)
  expect(found(report)).toEqual([])
})

test('packages side by side, each with its own GEMINI.md, change nothing: no advice to take one back', async () => {
  const entries = range(100).flatMap((n) => [
    ...cheap(`p${n}`, n * 10, 1_000 + (n % 89), HASH_A),
    ...cheap(`q${n}`, n * 10 + 0.5, 1_400 + (n % 89), HASH_B),
  ])
  const report = await reportOnEntries(entries)
  // The second package's revision was adopted once.
  expect(report.context_volatility.changes).toBe(1)
  expect(report.constraint_effectiveness.changes).toMatchObject([{ side_by_side: true }])
  expect(report.insights).toEqual([])
  expect(report.confirmed[0]?.title).toBe(
    'GEMINI.md v1 and v2 side by side, under v2: builds cost more tokens',
  )
  expect(report.confirmed[0]?.change).toMatch(/Compare them as alternatives.*use v1/u)
})

test('a revision that has been taken back is not to be taken back again', async () => {
  const entries = range(300).flatMap((n) => {
    const tried = n >= 100 && n < 150
    return cheap(`b${n}`, n * 10, (tried ? 1_400 : 1_000) + (n % 89), tried ? HASH_B : HASH_A)
  })
  const report = await reportOnEntries(entries)
  expect(report.context_volatility.changes).toBe(2)
  expect(report.constraint_effectiveness.revisions.map(({ current }) => current)).toEqual([true, false])
  expect(report.constraint_effectiveness.changes).toMatchObject([{ side_by_side: false }])
  expect(report.insights).toEqual([])
  expect(report.confirmed.map(({ change }) => change)).toEqual([
    'Nothing now: the latest builds do not use v2. Do not bring back what it added.',
  ])
})

test('every comparison that is not made is among what there is not enough data for', async () => {
  const build = (id: string, at: number, hash: string, last: 'pass' | undefined) => {
    const one = cheap(id, at, 1_000, hash)
    return last === undefined ? one.slice(0, 1) : one
  }
  const entries = [
    ...range(30).flatMap((n) => build(`a${n}`, n * 10, HASH_A, 'pass')),
    // Closed, but hardly any of them with a verdict.
    ...range(30).flatMap((n) => build(`b${n}`, 1_000 + n * 10, HASH_B, n < 5 ? 'pass' : undefined)),
  ]
  const report = await reportOnEntries(entries)
  expect(report.constraint_effectiveness.changes[0]?.first_pass_rate).toBeNull()
  expect(report.not_enough_data).toEqual([
    'GEMINI.md v1 to v2, builds with a verdict: 30 and 5; 20 each are needed.',
  ])
})

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
