import { expect, test } from 'vitest'
import type { Report } from '../../src/audits/schema.ts'
import { choosePromptVersion } from '../../src/capture/agent/choose-prompt-version.ts'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { createRandom, type Random } from '../../src/simulate/random.ts'
import { entry } from '../setup/entries.ts'
import { directoryOf, found, minute, range, reportOnEntries, reportText, verified } from './report-setup.ts'

/** About normal, with a mean of 0 and a deviation of 1. */
const bell = (random: Random): number =>
  Array.from({ length: 12 }, () => random.next()).reduce((sum, value) => sum + value, -6)

/** 60 builds of 6 implement steps each, the steps of a build alike, no difference between the two prompt versions. */
function stepsOfLikeBuilds(seed: string): OptimizationLogEntry[] {
  const random = createRandom(seed)
  return Array.from({ length: 60 }, (_, n) => n).flatMap((n) => {
    const [id, usual] = [`b${n}`, 5_000 + 1_000 * bell(random)]
    const version = random.chance(0.5) ? 'x@1' : 'x@2'
    const steps = Array.from({ length: 6 }, (_, i) =>
      entry({
        workflow_run_id: id,
        step_name: `implement_${i}`,
        timestamp: minute(n * 30 + i),
        prompt_token_count: 100,
        completion_token_count: Math.max(1, Math.round(usual + 300 * bell(random))),
        instruction_version: version,
      }),
    )
    return [...steps, verified(id, n * 30 + 8, 'pass')]
  })
}

test('steps of one build are not independent: noise with many steps per build shows no more findings', async () => {
  let withFindings = 0
  for (const n of range(40)) {
    const report = await reportOnEntries(stepsOfLikeBuilds(`steps-${n}`))
    expect(report.prompt_refinement.comparisons.length).toBeGreaterThan(0)
    if (found(report).length > 0) withFindings++
  }
  // 5 in 100 are to be expected; more than 7 of 40 have a probability below 0.002.
  expect(withFindings).toBeLessThanOrEqual(7)
})

test('prompt versions are compared by builds, and only by builds that used one of them', async () => {
  const entries = range(90).flatMap((n) => {
    const versions = n < 30 ? ['a', 'a'] : n < 60 ? ['b', 'b'] : ['a', 'b']
    return [
      ...versions.map((instruction_version, i) =>
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

/** `count` builds that fail, are fixed with one of two prompts, and pass if `passes` says so. */
const fixedBuilds = (
  name: string,
  count: number,
  of: (n: number) => { version: string; passes: boolean; assignment?: string },
): OptimizationLogEntry[] =>
  range(count).flatMap((n) => {
    const { version, passes, assignment } = of(n)
    const at = n * 60
    return [
      verified(`${name}${n}`, at, 'fail'),
      entry({
        workflow_run_id: `${name}${n}`,
        step_name: 'fix_attempt_1',
        timestamp: minute(at + 1),
        completion_token_count: 100 + (n % 7),
        validation_error_type: 'TSC_ERROR',
        instruction_version: version,
        ...(assignment !== undefined && { instruction_assignment: assignment }),
      }),
      verified(`${name}${n}`, at + 2, passes ? 'pass' : 'fail'),
    ]
  })

test('versions that were assigned at random are compared among the builds of their draw, and said to be', async () => {
  const draw = ['fix-1', 'fix-2'].map((version) => ({ version }))
  const assigned = fixedBuilds('assigned-', 240, (n) => {
    const { version, assignment } = choosePromptVersion(`assigned-${n}`, draw)
    return { version, assignment, passes: version === 'fix-2' || n % 3 === 0 }
  })
  // Before the draw fix-1 was used for easy work only: among all builds it would be the better one.
  const easy = fixedBuilds('easy-', 300, () => ({ version: 'fix-1', passes: true }))
  const directory = directoryOf([...assigned, ...easy])
  const report = JSON.parse(await reportText(directory)) as Report
  const compared = report.prompt_refinement.comparisons.find(({ measure }) => measure === 'pass_rate')
  expect(compared).toMatchObject({ first: 'fix-1', second: 'fix-2', assigned_at_random: true })
  expect(compared?.comparison.n.reduce((sum, n) => sum + n)).toBe(240)
  const finding = found(report).find(({ id }) => id.includes('pass_rate'))
  expect(finding?.title).toBe('The fix prompt: fix-2 repairs more often at the first attempt than fix-1')
  expect(finding?.evidence).toContain('; assigned at random; ')
  expect(finding?.change).not.toContain('different work')
  const text = await reportText(directory, { format: 'md' })
  expect(text).toContain('Assigned at random, and compared among the builds of one draw: fix-1 and fix-2.')
})

test('versions that were only used are said to be compared as they were used', async () => {
  const used = (n: number) => ({ version: n % 2 ? 'fix-1' : 'fix-2', passes: n % 2 === 0 || n % 3 === 0 })
  // Of different draws, which is no comparison at random either.
  const entries = [
    ...fixedBuilds('used-', 120, used),
    ...fixedBuilds('one-', 30, () => ({ version: 'fix-1', passes: true, assignment: 'fix-1:1 fix-3:1' })),
    ...fixedBuilds('other-', 30, () => ({ version: 'fix-2', passes: true, assignment: 'fix-2:1 fix-4:1' })),
  ]
  const directory = directoryOf(entries)
  const report = JSON.parse(await reportText(directory)) as Report
  const compared = report.prompt_refinement.comparisons.find(({ measure }) => measure === 'pass_rate')
  expect(compared).toMatchObject({ assigned_at_random: false, comparison: { n: [90, 90] } })
  const text = await reportText(directory, { format: 'md' })
  expect(text).toContain(
    'Prompt versions and revisions are compared as they were used, not assigned at random.',
  )
  expect(text).not.toMatch(/; assigned at random/)
})
