import jstat from 'jstat'
import { freedomOf, type BatchSums } from './batches.ts'
import type { Estimate } from './statistics.ts'

const { jStat } = jstat

/**
 * Builds of one batch resemble each other, so that they say less than as many independent builds. How much less is the
 * design effect: the variance of a difference with batches over that without. It is used as Donner and Klar do in
 * "Design and Analysis of Cluster Randomization Trials in Health Research" (2000), chapters 6 and 7: the test
 * statistic is divided by it, with one intraclass correlation for all groups.
 */
export interface DesignEffect {
  /** At least 1. */
  readonly factor: number
  /** Degrees of freedom for the t distribution: batches less groups. */
  readonly freedom: number
  /** In which the builds of both sides lie. */
  readonly batches: number
}

/**
 * The intraclass correlation by analysis of variance (Donner and Klar, section 6.2; never below 0): the share of the
 * variance that lies between batches. Differences between groups are taken out first.
 */
export function intraclassCorrelation(sums: readonly BatchSums[]): number {
  const means = new Map<string, number>()
  for (const [grp, rows] of Map.groupBy(sums, ({ grp }) => grp))
    means.set(grp, total(rows, 'sum') / total(rows, 'n'))
  // Sums of residuals: of the values less the means of their groups.
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
 * The design effect of the difference between two groups. Where a batch has builds of both, its luck cancels out:
 * what counts is how unlike the shares of its builds on both sides are.
 */
export function designEffect(
  sums: readonly BatchSums[],
  correlation: number,
  first: string,
  second: string,
): DesignEffect {
  const [a, b] = [first, second].map((grp) => sums.filter((row) => row.grp === grp)) as [
    BatchSums[],
    BatchSums[],
  ]
  const [n1, n2] = [total(a, 'n'), total(b, 'n')]
  const unlike = new Map<number, number>()
  for (const { batch, n } of a) unlike.set(batch, n / n1)
  for (const { batch, n } of b) unlike.set(batch, (unlike.get(batch) ?? 0) - n / n2)
  const shared = [...unlike.values()].reduce((all, weight) => all + weight * weight, 0)
  const independent = 1 / n1 + 1 / n2
  return {
    factor: Math.max(1, 1 - correlation + (correlation * shared) / independent),
    freedom: freedomOf(sums),
    batches: unlike.size,
  }
}

const total = <K extends string>(rows: readonly Readonly<Record<K, number>>[], key: K): number =>
  rows.reduce((sum, row) => sum + row[key], 0)

/** The two-sided p-value of a test on independent builds, corrected for the design effect. Never smaller. */
export function adjustP(p: number, { factor, freedom }: DesignEffect): number {
  const z = -jStat.normal.inv(Math.max(p, 1e-300) / 2, 0, 1)
  return Math.max(p, Math.min(1, 2 * jStat.studentt.cdf(-z / Math.sqrt(factor), freedom)))
}

/** A 95 % interval, widened for the design effect. */
export function adjustInterval({ value, low, high }: Estimate, { factor, freedom }: DesignEffect): Estimate {
  const widened = Math.sqrt(factor) * (jStat.studentt.inv(0.975, freedom) / jStat.normal.inv(0.975, 0, 1))
  return { value, low: value - (value - low) * widened, high: value + (high - value) * widened }
}
