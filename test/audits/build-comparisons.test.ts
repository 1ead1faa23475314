import path from 'node:path'
import { expect, test } from 'vitest'
import { writeNoise, INDEPENDENT, NIGHTLY } from '../../bench/noise-corpus.ts'
import { compareBuilds } from '../../src/audits/build-comparisons.ts'
import type { Comparison, Report } from '../../src/audits/schema.ts'
import type { RecentBuild } from '../../src/recent/recent-build.ts'
import { createManualClock, startExporter, temporaryDirectory } from '../setup/exporter.ts'
import { HASH_A, HASH_B } from '../setup/entries.ts'
import { cheap, corpus, directoryOf, NOW, range, reportText } from './report-setup.ts'

/** The builds of these files as the daemon keeps them, and the report over the same files. */
async function both(directory: string): Promise<{ builds: readonly RecentBuild[]; report: Report }> {
  const state = path.join(temporaryDirectory(), 'state')
  const { recent } = await startExporter({ roots: [directory], state, clock: createManualClock(NOW) })
  return { builds: recent.list(), report: JSON.parse(await reportText(directory)) as Report }
}

/** All that does not depend on how many other comparisons there are; rounded, because sums in another order differ in the last digits. */
const numbersOf = (comparison: Comparison | null) =>
  comparison === null
    ? null
    : [
        comparison.n,
        comparison.batches,
        comparison.agrees,
        ...[comparison.p, comparison.design_effect, comparison.first, comparison.second].map((value) =>
          value.toPrecision(9),
        ),
        ...[comparison.difference.low, comparison.difference.high].map((value) => value.toPrecision(9)),
      ]

const passed = ({ outcome }: RecentBuild): number | undefined =>
  outcome === 'abandoned' ? undefined : Number(outcome === 'first_pass')

test.each([
  ['a steady stream', () => corpus({ seed: 'steady', size: { builds: 600 } })],
  [
    'two days, with batches of hours',
    () => corpus({ seed: 'short', size: { builds: 500 }, spanMs: 172_800_000 }),
  ],
  [
    'tokens that are often the same',
    () =>
      Promise.resolve(
        directoryOf(
          range(240).flatMap((n) =>
            cheap(
              `run-${n}`,
              n * 60,
              100 + ((n * n) % 7) * 10 + (n < 120 ? 0 : 10),
              n < 120 ? HASH_A : HASH_B,
            ),
          ),
        ),
      ),
  ],
  [
    'nightly runs',
    () => {
      const directory = temporaryDirectory()
      writeNoise(directory, { ...NIGHTLY, days: 24, luck: 0.5, seed: 'page' })
      return Promise.resolve(directory)
    },
  ],
  [
    'independent builds',
    () => {
      const directory = temporaryDirectory()
      writeNoise(directory, { ...INDEPENDENT, seed: 'page' })
      return Promise.resolve(directory)
    },
  ],
])('the page compares builds exactly as the report does: %s', async (_, write) => {
  const { builds, report } = await both(await write())
  const { revisions, changes } = report.constraint_effectiveness
  const comparisons = compareBuilds(builds)
  const tokens = comparisons.means(
    ({ context }) => context,
    (build) => build.tokens,
  )
  const rates = comparisons.shares(({ context }) => context, passed)
  const hashOf = (version: string): string =>
    revisions.find((row) => row.version === version)?.context_hash ?? ''
  const pairs = changes.map(({ from, to }) => ({ first: hashOf(from), second: hashOf(to) }))
  expect(pairs.length).toBeGreaterThan(0)
  expect(pairs.map((pair) => numbersOf(tokens(pair)))).toEqual(
    changes.map(({ tokens_per_build: comparison }) => numbersOf(comparison)),
  )
  expect(pairs.map((pair) => numbersOf(rates(pair)))).toEqual(
    changes.map(({ first_pass_rate: comparison }) => numbersOf(comparison)),
  )
  const prompts = comparisons.shares(({ implementPrompt }) => implementPrompt ?? undefined, passed)
  for (const { phase, measure, first, second, comparison } of report.prompt_refinement.comparisons) {
    if (phase !== 'implement' || measure !== 'first_pass_rate') continue
    expect(numbersOf(prompts({ first, second }))).toEqual(numbersOf(comparison))
  }
})

test('q rises with the number of comparisons', () => {
  const builds = Array.from({ length: 400 }, (_, i) => ({
    outcome: 'first_pass' as const,
    firstEntryMs: i * 3_600_000,
    group: i % 2 === 0 ? 'a' : 'b',
    tokens: i % 2 === 0 ? 100 + (i % 7) : 102 + (i % 5),
  }))
  const once = compareBuilds(builds)
  const compare = once.means(
    ({ group }) => group,
    ({ tokens }) => tokens,
  )
  const alone = compare({ first: 'a', second: 'b' })
  once.correct()
  expect(alone?.q).toBe(alone?.p)
  const twice = compareBuilds(builds)
  const first = twice.means(
    ({ group }) => group,
    ({ tokens }) => tokens,
  )({ first: 'a', second: 'b' })
  twice.means(
    ({ group }) => group,
    (build) => build.firstEntryMs % 11,
  )({ first: 'a', second: 'b' })
  twice.correct()
  expect(first?.q).toBeGreaterThan(first?.p ?? 1)
})
