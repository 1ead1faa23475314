import { expect, test } from 'vitest'
import { verdictsOf, type Change, type Compared, type Evidence } from '../../src/audits/verdicts.ts'
import type { Comparison } from '../../src/audits/schema.ts'

const comparison = (value: number, q = 0.01): Comparison => ({
  n: [40, 30],
  first: 1,
  second: 1 + value,
  difference: { value, low: value - 0.05, high: value + 0.05 },
  agrees: true,
  test: "Fisher's exact test",
  batches: 9,
  design_effect: 1,
  p: q,
  q,
})

const compared = (between: Comparison | null, n = 30): Compared => ({
  before: { name: 'v1', n: 40, value: 0.5 },
  after: { name: 'v2', n, value: n === 0 ? null : 0.75 },
  comparison: between,
})

const change = (over: Partial<Change> = {}): Change => ({
  tokens: compared(comparison(0.01, 0.6)),
  firstPass: compared(comparison(0.01, 0.6)),
  isSideBySide: false,
  ...over,
})

const NOTHING: Evidence = { changes: [], prompts: undefined, fixes: [], tokens: 0 }
const verdicts = (evidence: Partial<Evidence>) =>
  verdictsOf({ ...NOTHING, ...evidence }).map(({ verdict, sentence }) => [verdict, sentence])
/** The verdict on first-pass rates. */
const onRate = (over: Partial<Change>) => verdicts({ changes: [change(over)] })[1]

test('a higher first-pass rate is better, a lower one worse, and what chance may do is unclear', () => {
  expect(onRate({ firstPass: compared(comparison(0.25)) })).toEqual([
    'better',
    '75.0 % of the builds pass at first under v2, 50.0 % under v1 (n = 30 and 40).',
  ])
  expect(onRate({ firstPass: compared(comparison(-0.25)) })?.[0]).toBe('worse')
  expect(onRate({ firstPass: compared(comparison(0.25, 0.06)) })?.[0]).toBe('unclear')
  expect(onRate({ firstPass: compared({ ...comparison(0.25), agrees: false }) })?.[0]).toBe('unclear')
})

test('fewer tokens are better', () => {
  const of = (value: number) =>
    verdicts({ changes: [change({ tokens: compared(comparison(value)) })] })[0]?.[0]
  expect([of(-0.25), of(0.25)]).toEqual(['better', 'worse'])
})

test('with too few builds the sentence says how many of 20 there are, and where', () => {
  expect(onRate({ firstPass: compared(null, 12) })).toEqual([
    'not enough data',
    '75.0 % of the builds pass at first under v2, 50.0 % under v1 (n = 12 and 40): not enough data, 12 of 20 under v2.',
  ])
  expect(onRate({ firstPass: compared(null, 0) })?.[1]).toBe(
    'No build under v2 has a verdict yet: not enough data, 0 of 20.',
  )
})

test('with enough builds of too few days the sentence says that', () => {
  expect(onRate({ firstPass: compared(null) })).toEqual([
    'not enough data',
    expect.stringContaining('not enough days to tell a difference from the luck of a day'),
  ])
})

test('revisions that are used side by side are compared, but not judged', () => {
  expect(onRate({ firstPass: compared(comparison(0.25)), isSideBySide: true })).toEqual([
    'unclear',
    expect.stringContaining('both are used side by side, perhaps for different work'),
  ])
})

test('without a second revision or prompt there is nothing to compare', () => {
  expect(verdicts({}).map(([verdict]) => verdict)).toEqual(Array(4).fill('nothing to compare'))
})

test('the share of fixes names the error that takes most', () => {
  const fixes = [
    { errorType: '', tokens: 30 },
    { errorType: 'TSC_ERROR', tokens: 10 },
  ]
  expect(verdicts({ fixes, tokens: 400 })[0]?.[1]).toContain(
    'Fixes take 10.0 % of all tokens, most of them for (none given) (75.0 %).',
  )
})

test('all changes together are judged by the direction of those that are clear', () => {
  const better = change({ tokens: compared(comparison(-0.25)) })
  const worse = change({ firstPass: compared(comparison(-0.25)) })
  const few = change({ tokens: compared(null, 3), firstPass: compared(null, 3) })
  const of = (...changes: Change[]) => verdicts({ changes })[3]
  expect(of(better, change(), few)).toEqual([
    'better',
    'Of 3 changes of GEMINI.md: 1 for the better, 1 unclear, 1 without enough data (v2: 3 of 20).',
  ])
  expect(of(better, worse)?.[0]).toBe('unclear')
  expect(of(worse)?.[0]).toBe('worse')
  expect(of(few)?.[0]).toBe('not enough data')
  // Better by one measure and worse by the other.
  expect(of(change({ tokens: better.tokens, firstPass: worse.firstPass }))?.[0]).toBe('unclear')
})
