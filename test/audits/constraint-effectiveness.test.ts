import { expect, test } from 'vitest'
import { HASH_A, HASH_B } from '../setup/entries.ts'
import { cheap, range, reportOnEntries } from './report-setup.ts'

test('packages that are built side by side, each with its own GEMINI.md, are not changes and cause no advice to revert one', async () => {
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
    ...range(30).flatMap((n) => build(`a${n}`, n * 300, HASH_A, 'pass')),
    // Closed, but hardly any of them with a verdict.
    ...range(30).flatMap((n) => build(`b${n}`, 10_000 + n * 300, HASH_B, n < 5 ? 'pass' : undefined)),
  ]
  const report = await reportOnEntries(entries)
  expect(report.constraint_effectiveness.changes[0]?.first_pass_rate).toBeNull()
  expect(report.not_enough_data).toEqual([
    'GEMINI.md v1 to v2, builds with a verdict: 30 and 5; 20 each are needed.',
  ])
})
