import {
  adjustInterval,
  adjustP,
  designEffect,
  intraclassCorrelation,
  type DesignEffect,
} from './design-effect.ts'
import type { BatchSums } from './batch-sums.ts'
import type { Comparison } from './schema.ts'
import { fisherExact, mannWhitney, meanDifference, proportionDifference } from './statistics.ts'

/** The rule by which two groups of builds are compared (decisions/064), for the report and for the page. */

/** Groups with fewer values are not compared. */
export const MIN_GROUP = 20
/** The share of findings that may be false. On pure noise, the chance that a report shows any. */
export const FALSE_DISCOVERY_RATE = 0.05

/** Two groups, named as in the sums of the batches. */
export interface Groups {
  readonly first: string
  readonly second: string
}

/** A comparison as if builds were independent of each other, and the only one. */
export type Unadjusted = Omit<Comparison, 'q' | 'batches' | 'design_effect'>

/** Corrects a comparison for batches. `tested` are the sums for p, `shown` those for the interval. */
export function adjusted(
  comparison: Unadjusted,
  groups: Groups,
  tested: readonly BatchSums[],
  shown: readonly BatchSums[],
): Comparison {
  const effect = effectOf(tested, groups)
  return {
    ...comparison,
    p: adjustP(comparison.p, effect),
    difference: adjustInterval(comparison.difference, effectOf(shown, groups)),
    batches: effect.batches,
    design_effect: effect.factor,
    q: 1,
  }
}

const effectOf = (sums: readonly BatchSums[], { first, second }: Groups): DesignEffect =>
  designEffect(sums, intraclassCorrelation(sums), first, second)

/** How many values of a group there are, and how many of them are 1. */
export interface Count {
  readonly n: number
  readonly passed: number
}

export function compareShares(a: Count, b: Count): Unadjusted | null {
  const difference = proportionDifference(a.passed, a.n, b.passed, b.n)
  if (difference === null) return null
  return {
    n: [a.n, b.n],
    first: a.passed / a.n,
    second: b.passed / b.n,
    difference,
    agrees: true,
    test: "Fisher's exact test",
    p: fisherExact(a.passed, a.n, b.passed, b.n),
  }
}

/** A sample with its ranks among both samples; see `mannWhitney`. */
export interface RankedSample {
  readonly n: number
  readonly mean: number
  readonly variance: number
  readonly rank_sum: number
  readonly ties: number
}

export function compareMeans(a: RankedSample, b: RankedSample): Unadjusted | null {
  const difference = meanDifference(a, b)
  if (difference === null) return null
  return {
    n: [a.n, b.n],
    first: a.mean,
    second: b.mean,
    difference,
    agrees: Math.sign(difference.value) === -Math.sign(a.rank_sum / a.n - (a.n + b.n + 1) / 2),
    test: 'Mann-Whitney U test',
    p: mannWhitney(a.rank_sum, a.n, b.n, a.ties + b.ties),
  }
}

/**
 * Whether a difference is a finding: q is at most 5 %, the interval excludes zero, and the test points in the same
 * direction. It does not where a few outliers outweigh all other builds in the mean.
 */
export function isFound(comparison: Comparison | null): comparison is Comparison {
  if (comparison === null || comparison.q > FALSE_DISCOVERY_RATE || !comparison.agrees) return false
  return comparison.difference.low > 0 || comparison.difference.high < 0
}
