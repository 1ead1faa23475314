import { expect, test } from 'vitest'
import type { Report } from '../../src/audits/schema.ts'
import {
  CONTEXT_REVISIONS,
  DEFAULT_PROFILE,
  withFirstPassRate,
  type ContextRevision,
  type InstructionVersion,
} from '../../src/simulate/profile.ts'
import { reportOn } from './report-setup.ts'

/** Two revisions of GEMINI.md under which builds fare alike, but for their hashes. */
function revisions(change: (second: ContextRevision) => ContextRevision = (same) => same): ContextRevision[] {
  const [first, other] = CONTEXT_REVISIONS
  if (first === undefined || other === undefined) throw new Error('two revisions are needed')
  const plain = withFirstPassRate(first, 0.6)
  return [plain, change({ ...plain, hash: other.hash })]
}

const wording = (name: string, over: Partial<InstructionVersion> = {}): InstructionVersion => ({
  name,
  tokens: 100,
  weight: 1,
  completionScale: 1,
  failureScale: 1,
  ...over,
})

const profile = (implement: InstructionVersion[], fix: InstructionVersion[]) => ({
  ...DEFAULT_PROFILE,
  instructions: { scaffold: [wording('scaffold')], implement, fix },
})

const NO_DIFFERENCE = profile([wording('a'), wording('b')], [wording('x'), wording('y')])

const findings = (report: Report): string[] =>
  [...report.insights.filter(({ kind }) => kind === 'finding'), ...report.confirmed].map(({ title }) => title)

/** Few, as they take time; NOISE_CORPORA=200 tests as many. */
const corpora = Number(process.env['NOISE_CORPORA'] ?? 40)

/** How many of `n` come about with a probability below 0.002 where each has one of 0.05. */
const tooMany = (n: number): number => Math.ceil(0.05 * n + 3 * Math.sqrt(0.05 * 0.95 * n)) + 1

test('on pure noise no more reports show a finding than the stated level allows', async () => {
  let withFindings = 0
  let comparisons = 0
  for (let n = 0; n < corpora; n++) {
    const report = await reportOn({
      seed: `noise-${n}`,
      size: { builds: 240 },
      contexts: revisions(),
      profile: NO_DIFFERENCE,
    })
    comparisons += report.method.comparisons
    if (findings(report).length > 0) withFindings++
  }
  // There were comparisons that could have gone wrong.
  expect(comparisons).toBeGreaterThan(corpora * 5)
  expect(withFindings).toBeLessThan(tooMany(corpora))
})

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
      [wording('long'), wording('short', { completionScale: 0.8 })],
      [wording('blunt', { failureScale: 1.5 }), wording('kind', { failureScale: 0.6 })],
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
      [wording('only')],
      [wording('full', { failureScale: 0.6 }), wording('terse', { completionScale: 0.6, failureScale: 1.5 })],
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
      [wording('long'), wording('short', { completionScale: 0.8 })],
      [wording('blunt', { failureScale: 1.5 }), wording('kind', { failureScale: 0.6 })],
    ),
  })
  const order = report.insights.map(({ kind, tokens }) => [kind, tokens ?? 0] as const)
  const ranked = order.toSorted(([a, x], [b, y]) => (a === b ? y - x : a === 'finding' ? -1 : 1))
  expect(order).toEqual(ranked)
  for (const kind of ['finding', 'cost'])
    expect(order.filter(([each]) => each === kind).length).toBeGreaterThan(1)
})
