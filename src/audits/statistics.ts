import jstat from 'jstat'

const { jStat } = jstat

/** A value with its 95 % confidence interval. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

const LEVEL = 0.95
const Z = jStat.normal.inv(1 - (1 - LEVEL) / 2, 0, 1)

/** A proportion with its Wilson score interval (Wilson 1927), which is reliable near 0 and 1 and for small `n`. */
export function wilson(successes: number, n: number): Estimate | null {
  if (n === 0) return null
  const share = successes / n
  const centre = share + (Z * Z) / (2 * n)
  const half = Z * Math.sqrt((share * (1 - share)) / n + (Z * Z) / (4 * n * n))
  const scale = 1 + (Z * Z) / n
  return {
    value: share,
    low: successes === 0 ? 0 : (centre - half) / scale,
    high: successes === n ? 1 : (centre + half) / scale,
  }
}

/** Difference of two proportions, second minus first, with Newcombe's hybrid score interval (Newcombe 1998, method 10). */
export function proportionDifference(k1: number, n1: number, k2: number, n2: number): Estimate | null {
  const first = wilson(k1, n1)
  const second = wilson(k2, n2)
  if (first === null || second === null) return null
  const value = second.value - first.value
  return {
    value,
    low: value - Math.hypot(second.value - second.low, first.high - first.value),
    high: value + Math.hypot(second.high - second.value, first.value - first.low),
  }
}

/** Fisher's exact test, two-sided: the probability that two equal proportions differ by chance as much as observed, or more. */
export function fisherExact(k1: number, n1: number, k2: number, n2: number): number {
  const all = n1 + n2
  const successes = k1 + k2
  const logChoose = (n: number, k: number): number =>
    jStat.gammaln(n + 1) - jStat.gammaln(k + 1) - jStat.gammaln(n - k + 1)
  const whole = logChoose(all, successes)
  const logOf = (k: number): number => logChoose(n1, k) + logChoose(n2, successes - k) - whole
  const observed = logOf(k1)
  let p = 0
  // As likely as the observed table, or less. The tolerance allows for rounding, as in R's fisher.test.
  for (let k = Math.max(0, successes - n2); k <= Math.min(n1, successes); k++) {
    const log = logOf(k)
    if (log <= observed + 1e-7) p += Math.exp(log)
  }
  return Math.min(1, p)
}

/** What the comparison of two means needs from a sample. */
export interface Sample {
  readonly n: number
  readonly mean: number
  /** Sample variance, with n - 1 in the denominator. */
  readonly variance: number
}

/** A mean with its 95 % confidence interval; one value alone has none. */
export interface MeanEstimate {
  readonly value: number
  readonly low: number | null
  readonly high: number | null
}

/** A mean with its t interval. */
export function meanEstimate({ n, mean, variance }: Sample): MeanEstimate | null {
  if (n === 0) return null
  if (n === 1) return { value: mean, low: null, high: null }
  const half = jStat.studentt.inv((1 + LEVEL) / 2, n - 1) * Math.sqrt(variance / n)
  return { value: mean, low: mean - half, high: mean + half }
}

/** Difference of two means, second minus first, with Welch's interval, which allows unequal variances. */
export function meanDifference(first: Sample, second: Sample): Estimate | null {
  if (first.n < 2 || second.n < 2) return null
  const a = first.variance / first.n
  const b = second.variance / second.n
  const value = second.mean - first.mean
  if (a + b === 0) return { value, low: value, high: value }
  const freedom = (a + b) ** 2 / (a ** 2 / (first.n - 1) + b ** 2 / (second.n - 1))
  const half = jStat.studentt.inv((1 + LEVEL) / 2, freedom) * Math.sqrt(a + b)
  return { value, low: value - half, high: value + half }
}

/**
 * The Mann-Whitney U test, two-sided, by the normal approximation with correction for ties and continuity.
 * It makes no assumption about the shape of the distributions: token counts have long tails. `rankSum` is the sum of
 * the ranks of the first sample among both, ties averaged; `ties` is the sum of t³ - t over groups of t equal values.
 */
export function mannWhitney(rankSum: number, n1: number, n2: number, ties: number): number {
  const n = n1 + n2
  if (n1 === 0 || n2 === 0) return 1
  const u = rankSum - (n1 * (n1 + 1)) / 2
  const variance = ((n1 * n2) / 12) * (n + 1 - ties / (n * (n - 1)))
  if (variance <= 0) return 1
  const distance = Math.max(0, Math.abs(u - (n1 * n2) / 2) - 0.5)
  return Math.min(1, 2 * jStat.normal.cdf(-distance / Math.sqrt(variance), 0, 1))
}

/** Benjamini and Hochberg's correction (1995): for each p-value, the lowest false discovery rate at which it is a finding. */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = pValues.map((p, i) => ({ p, i })).sort((a, b) => b.p - a.p)
  const q = Array.from({ length: pValues.length }, () => 1)
  let least = 1
  for (const [place, { p, i }] of order.entries()) {
    least = Math.min(least, (p * pValues.length) / (pValues.length - place))
    q[i] = least
  }
  return q
}
