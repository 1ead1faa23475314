import jstat from 'jstat'
import { freedomOf, type BatchSums } from './batch-sums.ts'
import type { Estimate } from './statistics.ts'

const { jStat } = jstat

/**
 * Builds of one batch resemble each other, so they carry less evidence than as many independent builds. The design effect
 * is the variance of a difference under batches, divided by its variance for independent builds. A chi-square statistic
 * is divided by it, a z statistic by its square root: Donner and Klar, "Design and Analysis of Cluster Randomization
 * Trials in Health Research" (2000), chapters 6 and 7.
 */
export interface DesignEffect {
  /** At least 1. */
  readonly factor: number
  /** Degrees of freedom of the t distribution: batches minus groups. */
  readonly freedom: number
  /** Number of batches that contain builds of the two groups. */
  readonly batches: number
}

/**
 * The intraclass correlation: the share of the variance that lies between batches. The estimate is that of an analysis
 * of variance (Donner and Klar, section 6.2), at least 0. Differences between groups are removed first.
 */
export function intraclassCorrelation(sums: readonly BatchSums[]): number {
  const means = new Map<string, number>()
  for (const [grp, rows] of Map.groupBy(sums, ({ grp }) => grp))
    means.set(grp, total(rows, 'sum') / total(rows, 'n'))
  // Sums of the residuals: values minus the mean of their group.
  const batches = [...Map.groupBy(sums, ({ batch }) => batch).values()].map((rows) => ({
    n: total(rows, 'n'),
    sum: rows.reduce((all, { grp, n, sum }) => all + sum - n * (means.get(grp) ?? 0), 0),
  }))
  const squares = sums.reduce((all, { grp, n, sum, squares }) => {
    const mean = means.get(grp) ?? 0
    return all + squares - 2 * mean * sum + n * mean * mean
  }, 0)
  const n = total(batches, 'n')
  const between = batches.reduce((all, batch) => all + (batch.sum * batch.sum) / batch.n, 0)
  const betweenMean = between / freedomOf(sums)
  const withinMean = Math.max(0, squares - between) / (n - batches.length)
  const usualSize =
    (n - batches.reduce((all, batch) => all + batch.n * batch.n, 0) / n) / (batches.length - 1)
  const whole = betweenMean + (usualSize - 1) * withinMean
  if (!(n > batches.length) || !(whole > 0)) return 0
  return Math.max(0, (betweenMean - withinMean) / whole)
}

/**
 * The design effect of the difference between two groups: the larger of two estimates.
 * The estimate from the intraclass correlation works for a group of few batches: it uses the differences between all
 * batches. In it, the luck of a batch cancels out to the degree that the batch has equal shares of both groups.
 * The cluster-robust estimate also covers luck that only the builds of one group share within a batch, for example if
 * several nightly runs on one day use different prompt versions.
 */
export function designEffect(
  sums: readonly BatchSums[],
  correlation: number,
  first: string,
  second: string,
): DesignEffect {
  const sides = [first, second].map((grp) => sums.filter((row) => row.grp === grp))
  const [a = [], b = []] = sides
  const batches = new Set([...a, ...b].map(({ batch }) => batch)).size
  return {
    factor: Math.max(1, correlatedEffect(a, b, correlation), robustEffect(a, b, batches)),
    freedom: freedomOf(sums),
    batches,
  }
}

/** Donner and Klar's estimate, extended to batches that have builds of both groups. */
function correlatedEffect(a: readonly BatchSums[], b: readonly BatchSums[], correlation: number): number {
  const [n1, n2] = [total(a, 'n'), total(b, 'n')]
  const unlike = differencesByBatch(
    a.map(({ batch, n }) => [batch, n / n1]),
    b.map(({ batch, n }) => [batch, n / n2]),
  )
  return 1 - correlation + (correlation * squared(unlike)) / (1 / n1 + 1 / n2)
}

/** The cluster-robust variance (Liang and Zeger 1986), divided by the variance for independent builds. */
function robustEffect(a: readonly BatchSums[], b: readonly BatchSums[], batches: number): number {
  const [n1, n2] = [total(a, 'n'), total(b, 'n')]
  const [mean1, mean2] = [total(a, 'sum') / n1, total(b, 'sum') / n2]
  const residuals = differencesByBatch(
    a.map(({ batch, n, sum }) => [batch, (sum - n * mean1) / n1]),
    b.map(({ batch, n, sum }) => [batch, (sum - n * mean2) / n2]),
  )
  const squares = total(a, 'squares') - n1 * mean1 * mean1 + total(b, 'squares') - n2 * mean2 * mean2
  const independent = (squares / (n1 + n2 - 2)) * (1 / n1 + 1 / n2)
  return independent > 0 ? (squared(residuals) * batches) / (batches - 1) / independent : 1
}

type ByBatch = readonly (readonly [batch: number, value: number])[]

function differencesByBatch(first: ByBatch, second: ByBatch): number[] {
  const differences = new Map(first)
  for (const [batch, value] of second) differences.set(batch, (differences.get(batch) ?? 0) - value)
  return [...differences.values()]
}

const squared = (values: readonly number[]): number => values.reduce((sum, value) => sum + value * value, 0)

const total = <K extends string>(rows: readonly Readonly<Record<K, number>>[], key: K): number =>
  rows.reduce((sum, row) => sum + row[key], 0)

/** Corrects the two-sided p-value of a test for independent builds. The result is never smaller. */
export function adjustP(p: number, { factor, freedom }: DesignEffect): number {
  const z = -jStat.normal.inv(Math.max(p, 1e-300) / 2, 0, 1)
  return Math.max(p, Math.min(1, 2 * jStat.studentt.cdf(-z / Math.sqrt(factor), freedom)))
}

/** Widens a 95 % interval of independent builds. */
export function adjustInterval({ value, low, high }: Estimate, { factor, freedom }: DesignEffect): Estimate {
  const widened = Math.sqrt(factor) * (jStat.studentt.inv(0.975, freedom) / jStat.normal.inv(0.975, 0, 1))
  return { value, low: value - (value - low) * widened, high: value + (high - value) * widened }
}
