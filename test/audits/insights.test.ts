import { expect, test } from 'vitest'
import type { Report } from '../../src/audits/schema.ts'
import { withFirstPassRate } from '../../src/simulate/profile.ts'
import { NO_DIFFERENCE, profile, promptVersion, revisions } from './planted.ts'
import { found, reportOn } from './report-setup.ts'

const findings = (report: Report): string[] => found(report).map(({ title }) => title)

test('a revision that lets more builds pass is found, and called a reason to keep it', async () => {
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
  expect(found?.evidence).toMatch(/^5\d\.\d % to [78]\d\.\d %.*Fisher's exact test, p < 0\.0001/u)
})

test('a revision that does harm is found, with the tokens that it costs and what to do', async () => {
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

test('findings stand before costs, each ranked by the tokens that could be saved', async () => {
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
