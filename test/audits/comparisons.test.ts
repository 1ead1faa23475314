import { expect, test } from 'vitest'
import { INDEPENDENT, NIGHTLY, writeNoise, type NoiseOptions } from '../../bench/noise-corpus.ts'
import type { Report } from '../../src/audits/schema.ts'
import { HASH_A, HASH_B } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { cheap, found, range, reportOnEntries, reportText } from './report-setup.ts'

/** Few, because they take time. `npm run noise` tests hundreds. */
const CORPORA = 20
/** If each report has a finding with a probability of 0.05, more than 4 of 20 have a probability of 0.003. */
const MOST = 4

async function noise(n: number, options: Omit<NoiseOptions, 'seed'>): Promise<Report> {
  const directory = temporaryDirectory()
  writeNoise(directory, { ...options, seed: `test-${n}` })
  return JSON.parse(await reportText(directory)) as Report
}

test.each([
  ['independent builds', INDEPENDENT],
  // Without the correction for batches, 13 of these 20 show a finding.
  [
    'nightly runs that share their luck and their prompt version',
    { ...NIGHTLY, luck: 1, versionsBy: 'batch' as const },
  ],
])('on noise of %s no more reports show a finding than the stated level allows', async (_, options) => {
  let withFindings = 0
  let comparisons = 0
  for (const n of range(CORPORA)) {
    const report = await noise(n, options)
    comparisons += report.method.comparisons
    if (found(report).length > 0) withFindings++
  }
  // There were comparisons that could have gone wrong.
  expect(comparisons).toBeGreaterThan(CORPORA * 5)
  expect(withFindings).toBeLessThanOrEqual(MOST)
})

test('a large difference is found although nightly runs share their luck', async () => {
  const report = await noise(0, { ...NIGHTLY, days: 30, luck: 0.4, effect: 2.2 })
  expect(found(report).map(({ title }) => title)).toContain('GEMINI.md v1 to v2: fewer builds pass at first')
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
