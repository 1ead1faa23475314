import { expect, test } from 'vitest'
import { HASH_A, HASH_B } from '../setup/entries.ts'
import { NO_DIFFERENCE, revisions } from './planted.ts'
import { cheap, found, range, reportOn, reportOnEntries } from './report-setup.ts'

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
    if (found(report).length > 0) withFindings++
  }
  // There were comparisons that could have gone wrong.
  expect(comparisons).toBeGreaterThan(corpora * 5)
  expect(withFindings).toBeLessThan(tooMany(corpora))
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
