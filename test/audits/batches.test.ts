import { expect, test } from 'vitest'
import { HASH_A, HASH_B } from '../setup/entries.ts'
import { cheap, found, minute, range, reportOnEntries } from './report-setup.ts'

const DAY = 24 * 60

/** Nights of 25 builds, 8 minutes apart from `startHour` on; what one costs by night and build. */
const nights = (
  n: number,
  startHour: number,
  tokensOf: (night: number, build: number) => number,
  secondFrom = n / 2,
) =>
  range(n).flatMap((night) =>
    range(25).flatMap((build) =>
      cheap(
        `n${night}-${build}`,
        night * DAY + startHour * 60 + build * 8,
        tokensOf(night, build),
        night < secondFrom ? HASH_A : HASH_B,
      ),
    ),
  )

/** The second revision costs more only because its nights do. */
const lucky = (night: number, build: number): number =>
  [100, 900, 500, 300, 700][night % 5]! + 10 * night + build

test('the builds of a night are one batch, also where midnight lies within it', async () => {
  for (const startHour of [2, 23]) {
    const report = await reportOnEntries(nights(12, startHour, lucky))
    const comparison = report.constraint_effectiveness.changes[0]?.tokens_per_build
    expect(comparison).toMatchObject({ n: [150, 150], batches: 12 })
    expect(comparison?.design_effect).toBeGreaterThan(10)
  }
})

test('a difference that nights of the same revision have as well is not a finding', async () => {
  const report = await reportOnEntries(nights(12, 2, lucky))
  const comparison = report.constraint_effectiveness.changes[0]?.tokens_per_build
  expect(comparison?.difference.low).toBeLessThan(0)
  expect(found(report)).toEqual([])
})

test('a difference larger than that between nights is a finding, with the number of batches', async () => {
  const report = await reportOnEntries(
    nights(12, 2, (night, build) => lucky(night, build) + (night < 6 ? 0 : 3_000)),
  )
  expect(found(report)).toMatchObject([
    {
      title: 'GEMINI.md v1 to v2: builds cost more tokens',
      evidence: expect.stringContaining('n = 150 and 150 in 12 batches') as string,
    },
  ])
})

test('a revision of a single night is judged by the differences between the nights before', async () => {
  const report = await reportOnEntries(nights(12, 2, lucky, 11))
  expect(report.constraint_effectiveness.changes[0]?.tokens_per_build).toMatchObject({
    n: [275, 25],
    batches: 12,
  })
  expect(found(report)).toEqual([])
})

test('with too few nights nothing is compared, and the report says so', async () => {
  const report = await reportOnEntries(nights(4, 2, (night, build) => (night < 2 ? 1_000 : 5_000) + build))
  expect(report.method.comparisons).toBe(0)
  expect(report.not_enough_data).toContainEqual(
    expect.stringMatching(/^GEMINI\.md v1 to v2, tokens per build: .*too few days/u),
  )
})

test('builds that start all day long are compared in shorter batches where there are few days', async () => {
  const report = await reportOnEntries(
    range(240).flatMap((n) =>
      cheap(`b${n}`, n * 10, (n < 120 ? 1_000 : 1_400) + (n % 89), n < 120 ? HASH_A : HASH_B),
    ),
  )
  expect(report.constraint_effectiveness.changes[0]?.tokens_per_build).toMatchObject({ batches: 8 })
  expect(found(report)).toHaveLength(1)
  expect(minute(240 * 10).slice(0, 10)).toBe('2026-09-02')
})
