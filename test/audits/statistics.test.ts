import { expect, test } from 'vitest'
import {
  benjaminiHochberg,
  fisherExact,
  mannWhitney,
  meanDifference,
  meanEstimate,
  proportionDifference,
  wilson,
} from '../../src/audits/statistics.ts'

// Unless another source is named, the reference values are those of SciPy 1.17.1.

test('shares have the Wilson intervals of the reference', () => {
  const small = wilson(8, 10)
  expect(small?.low).toBeCloseTo(0.4901624715366418, 9)
  expect(small?.high).toBeCloseTo(0.9433178485456248, 9)
  // Also Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3: 0.2553 to 0.3662.
  const published = wilson(81, 263)
  expect(published?.low).toBeCloseTo(0.2552885198782742, 9)
  expect(published?.high).toBeCloseTo(0.36620957698280004, 9)
})

test('no data has no interval, and the ends stay within 0 and 1', () => {
  expect(wilson(0, 0)).toBeNull()
  expect(wilson(0, 7)?.low).toBe(0)
  expect(wilson(7, 7)?.high).toBe(1)
})

test('differences of shares have the intervals that Newcombe published', () => {
  // Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10: 56/70 less 48/80.
  const difference = proportionDifference(48, 80, 56, 70)
  expect(difference?.value).toBeCloseTo(0.2, 10)
  expect(difference?.low).toBeCloseTo(0.0524, 4)
  expect(difference?.high).toBeCloseTo(0.3339, 4)
})

test.each([
  [8, 10, 1, 6, 0.034965034965034975],
  [30, 200, 55, 200, 0.003202018291269786],
  [3, 1000, 18, 1000, 0.0014110652668705614],
])("Fisher's exact test of %i/%i and %i/%i is that of the reference", (k1, n1, k2, n2, p) => {
  expect(fisherExact(k1, n1, k2, n2)).toBeCloseTo(p, 9)
})

test('the Mann-Whitney test corrects for ties and continuity as the reference does', () => {
  // 10 values with the rank sum 153 against 12; one group of three equal values: 3³ - 3 = 24.
  expect(mannWhitney(153, 10, 12, 24)).toBeCloseTo(0.013305947871350338, 9)
})

test('means have the t intervals of the reference', () => {
  const first = { n: 10, mean: 2300, variance: 835555.5555555555 }
  const second = { n: 12, mean: 1340.8333333333333, variance: 251917.4242424242 }
  expect(meanEstimate(first)?.low).toBeCloseTo(1646.1013515538075, 4)
  expect(meanEstimate(first)?.high).toBeCloseTo(2953.8986484461925, 4)
  const difference = meanDifference(first, second)
  expect(difference?.value).toBeCloseTo(-959.1666666666667, 9)
  expect(difference?.low).toBeCloseTo(-1655.593560407374, 4)
  expect(difference?.high).toBeCloseTo(-262.7397729259594, 4)
})

test('the correction for many comparisons is that of the reference, in the order given', () => {
  const q = benjaminiHochberg([0.01, 0.02, 0.03, 0.04, 0.05, 0.5, 0.6, 0.001])
  const reference = [0.04, 0.05333333, 0.06, 0.064, 0.06666667, 0.57142857, 0.6, 0.008]
  for (const [i, value] of reference.entries()) expect(q[i]).toBeCloseTo(value, 8)
})
