import { expect, test } from 'vitest'
import type { BatchSums } from '../../src/audits/batch-sums.ts'
import {
  adjustInterval,
  adjustP,
  designEffect,
  intraclassCorrelation,
} from '../../src/audits/design-effect.ts'

type Counts = readonly (readonly [passed: number, n: number])[]

const nested = (grp: string, from: number, counts: Counts): BatchSums[] =>
  counts.map(([passed, n], i) => ({ grp, batch: from + i, n, sum: passed, squares: passed }))

test('the adjusted chi-square of the published example is reproduced', () => {
  // Donner and Klar (2000), section 6.1: users of smokeless tobacco in 12 schools with and 12 without a programme.
  const control: Counts = [
    [5, 103],
    [3, 174],
    [6, 83],
    [6, 75],
    [2, 152],
    [7, 102],
    [7, 104],
    [3, 74],
    [1, 55],
    [23, 225],
    [16, 125],
    [12, 207],
  ]
  const programme: Counts = [
    [0, 42],
    [1, 84],
    [9, 149],
    [11, 136],
    [4, 58],
    [1, 55],
    [10, 219],
    [4, 160],
    [2, 63],
    [5, 85],
    [1, 96],
    [10, 194],
  ]
  const sums = [...nested('control', 0, control), ...nested('programme', 100, programme)]
  const correlation = intraclassCorrelation(sums)
  // Published: 0.0113. Theirs takes the average size of a cluster by group, which makes a small difference.
  expect(correlation).toBeCloseTo(0.0113, 3)
  const effect = designEffect(sums, correlation, 'control', 'programme')
  // Pearson's chi-square is 4.69, p = 0.03; adjusted 1.83, p = 0.18.
  expect(4.6944 / effect.factor).toBeCloseTo(1.83, 1)
  expect(effect).toMatchObject({ freedom: 22, batches: 24 })
  expect(adjustP(0.03, effect)).toBeCloseTo(0.18, 1)
})

test('batches without differences change only the degrees of freedom', () => {
  const alike: Counts = Array.from({ length: 6 }, () => [5, 10])
  const sums = [...nested('a', 0, alike), ...nested('b', 6, alike)]
  expect(intraclassCorrelation(sums)).toBe(0)
  const effect = designEffect(sums, 0, 'a', 'b')
  expect(effect).toEqual({ factor: 1, freedom: 10, batches: 12 })
  // SciPy 1.17.1: 2 * t.cdf(norm.ppf(0.01 / 2), 10)
  expect(adjustP(0.01, effect)).toBeCloseTo(0.0277, 3)
})

test('batches in which all builds fare alike count as one build each', () => {
  const extreme: Counts = [
    [10, 10],
    [0, 10],
    [10, 10],
    [0, 10],
  ]
  const sums = [...nested('a', 0, extreme), ...nested('b', 4, extreme)]
  expect(intraclassCorrelation(sums)).toBeCloseTo(1, 9)
  const { factor } = designEffect(sums, 1, 'a', 'b')
  expect(factor).toBeGreaterThanOrEqual(10)
  expect(factor).toBeLessThan(12)
})

test('luck that is shared by the builds of one group within a batch counts, although the batch has builds of both', () => {
  const lucky: Counts = [
    [9, 10],
    [1, 10],
    [9, 10],
    [1, 10],
    [9, 10],
    [1, 10],
  ]
  const other = lucky.map(([passed, n]) => [n - passed, n] as const)
  const sums = [...nested('a', 0, lucky), ...nested('b', 0, other)]
  expect(intraclassCorrelation(sums)).toBe(0)
  expect(designEffect(sums, 0, 'a', 'b').factor).toBeGreaterThan(10)
})

test('the luck of a batch cancels out where it has builds of both groups in equal parts', () => {
  const counts: Counts = [
    [9, 10],
    [1, 10],
    [8, 10],
    [2, 10],
    [9, 10],
    [1, 10],
  ]
  const sums = [...nested('a', 0, counts), ...nested('b', 0, counts)]
  const correlation = intraclassCorrelation(sums)
  expect(correlation).toBeGreaterThan(0.3)
  expect(designEffect(sums, correlation, 'a', 'b')).toEqual({ factor: 1, freedom: 4, batches: 6 })
})

test('differences between groups are not taken for luck', () => {
  const few: Counts = Array.from({ length: 6 }, () => [2, 20])
  const many: Counts = Array.from({ length: 6 }, () => [18, 20])
  expect(intraclassCorrelation([...nested('a', 0, few), ...nested('b', 6, many)])).toBe(0)
})

test('an adjusted p-value is never smaller, and an adjusted interval never narrower', () => {
  for (const p of [0, 1e-200, 1e-9, 0.02, 0.5, 1]) {
    const adjusted = adjustP(p, { factor: 1, freedom: 1_000, batches: 9 })
    expect(adjusted).toBeGreaterThanOrEqual(p)
    expect(adjusted).toBeLessThanOrEqual(1)
  }
  const { low, high } = adjustInterval(
    { value: 0.2, low: 0.1, high: 0.25 },
    { factor: 4, freedom: 1_000, batches: 9 },
  )
  expect(low).toBeCloseTo(0, 2)
  expect(high).toBeCloseTo(0.3, 2)
})
