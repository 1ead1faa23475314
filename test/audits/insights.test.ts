import { expect, test } from 'vitest'
import type { Report } from '../../src/audits/schema.ts'
import { withFirstPassRate } from '../../src/simulate/profile.ts'
import { NO_DIFFERENCE, profile, promptVersion, revisions } from './planted.ts'
import { found, reportOn } from './report-setup.ts'

const findings = (report: Report): string[] => found(report).map(({ title }) => title)

test('a revision under which more builds pass is found, with the advice to keep it', async () => {
  const report = await reportOn({
    seed: 'better',
    size: { builds: 800 },
    contexts: revisions((second) => withFirstPassRate(second, 0.8)),
    profile: NO_DIFFERENCE,
  })
  const found = report.confirmed.find(
    ({ title }) => title === 'GEMINI.md v1 to v2: more builds pass at first',
  )
  expect(found?.change).toBe('Keep what v2 changed in GEMINI.md.')
  expect(found?.evidence).toMatch(/^v1 5\d\.\d % to v2 [78]\d\.\d %.*Fisher's exact test, p < 0\.0001/u)
})

test('a harmful revision is found, with the tokens that it costs and what to do', async () => {
  const report = await reportOn({
    seed: 'worse',
    size: { builds: 800 },
    contexts: revisions((second) => ({
      ...second,
      errorRates: { ...second.errorRates, JEST_FAILURE: (second.errorRates.JEST_FAILURE ?? 0) + 0.2 },
    })),
    profile: NO_DIFFERENCE,
  })
  const found = report.insights.find(
    ({ title }) => title === 'GEMINI.md v1 to v2: JEST_FAILURE fails more first verifications',
  )
  expect(found?.kind).toBe('finding')
  expect(found?.tokens).toBeGreaterThan(100_000)
  expect(found?.change).toMatch(/section on tests.*take back the part that did harm/u)
})

test('findings on one revision say which tokens are part of which', async () => {
  const report = await reportOn({
    seed: 'worse',
    size: { builds: 1_600 },
    contexts: revisions((second) => ({
      ...second,
      errorRates: { ...second.errorRates, JEST_FAILURE: (second.errorRates.JEST_FAILURE ?? 0) + 0.3 },
    })),
    profile: NO_DIFFERENCE,
  })
  const findings = report.insights.filter(({ id }) => id.startsWith('revision/v1/v2/'))
  expect(findings.map(({ id, part_of: partOf }) => [id, partOf])).toEqual([
    ['revision/v1/v2/tokens_per_build', null],
    ['revision/v1/v2/first_pass_rate', 'revision/v1/v2/tokens_per_build'],
    ['revision/v1/v2/first_failures/JEST_FAILURE', 'revision/v1/v2/first_pass_rate'],
  ])
  const tokens = findings.map((finding) => finding.tokens ?? 0)
  expect(tokens).toEqual(tokens.toSorted((a, b) => b - a))
  // The later revision is the worse one, so the evidence goes from it to the earlier one.
  expect(findings[1]?.evidence).toMatch(/^v2 \d+\.\d % to v1 \d+\.\d %, \+/u)
})

test('of two versions that could replace the same one, the smaller saving is part of the larger', async () => {
  const report = await reportOn({
    seed: 'three',
    size: { builds: 2_000 },
    contexts: revisions(),
    profile: profile(
      [
        promptVersion('long', { weight: 2 }),
        promptVersion('short', { completionScale: 0.6 }),
        promptVersion('mid', { completionScale: 0.75 }),
      ],
      [promptVersion('only')],
    ),
  })
  const findings = report.insights.filter(({ id }) =>
    id.startsWith('prompt/implement/completion_tokens/long/'),
  )
  expect(findings.map(({ id, part_of: partOf }) => [id, partOf])).toEqual([
    ['prompt/implement/completion_tokens/long/short', null],
    ['prompt/implement/completion_tokens/long/mid', 'prompt/implement/completion_tokens/long/short'],
  ])
})

test('a better instruction and a better fix prompt are found', async () => {
  const report = await reportOn({
    seed: 'prompts',
    size: { builds: 1_200 },
    contexts: revisions(),
    profile: profile(
      [promptVersion('long'), promptVersion('short', { completionScale: 0.8 })],
      [promptVersion('blunt', { failureScale: 1.5 }), promptVersion('kind', { failureScale: 0.6 })],
    ),
  })
  expect(findings(report)).toEqual(
    expect.arrayContaining([
      'The implement prompt: short takes fewer completion tokens than long',
      'The fix prompt: kind repairs more often at the first attempt than blunt',
    ]),
  )
})

test('a fix prompt that is cheap but repairs less is not recommended', async () => {
  const report = await reportOn({
    seed: 'cheap',
    size: { builds: 1_500 },
    contexts: revisions(),
    profile: profile(
      [promptVersion('only')],
      [
        promptVersion('full', { failureScale: 0.6 }),
        promptVersion('terse', { completionScale: 0.6, failureScale: 1.5 }),
      ],
    ),
  })
  const titles = report.insights.map(({ title }) => title)
  expect(titles).toContain('The fix prompt: full repairs more often at the first attempt than terse')
  expect(titles).not.toContain('The fix prompt: terse takes fewer completion tokens than full')
  expect(report.confirmed.map(({ title }) => title)).toContain(
    'The fix prompt: terse takes fewer completion tokens than full',
  )
})

test('findings come before costs, each ranked by tokens', async () => {
  const report = await reportOn({
    seed: 'rank',
    size: { builds: 1_200 },
    contexts: revisions(),
    profile: profile(
      [promptVersion('long'), promptVersion('short', { completionScale: 0.8 })],
      [promptVersion('blunt', { failureScale: 1.5 }), promptVersion('kind', { failureScale: 0.6 })],
    ),
  })
  const order = report.insights.map(({ kind, tokens }) => [kind, tokens ?? 0] as const)
  const ranked = order.toSorted(([a, x], [b, y]) => (a === b ? y - x : a === 'finding' ? -1 : 1))
  expect(order).toEqual(ranked)
  for (const kind of ['finding', 'cost'])
    expect(order.filter(([each]) => each === kind).length).toBeGreaterThan(1)
})
