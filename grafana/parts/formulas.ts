import type { DataTransformerConfig } from '@grafana/grafana-foundation-sdk/dashboard'
import { ENOUGH } from './promql.ts'

/**
 * Arithmetic between the columns of a table, done by Grafana. PromQL cannot name parts of an expression: a
 * two-proportion test in PromQL evaluates every sum a dozen times, over all samples of the range.
 */
export type Formula =
  | string
  | number
  | readonly [left: Formula, operator: '+' | '-' | '*' | '/', right: Formula]
  | { readonly apply: 'abs' | 'exp' | 'ln' | 'floor'; readonly to: Formula }

const abs = (to: Formula): Formula => ({ apply: 'abs', to })
const exp = (to: Formula): Formula => ({ apply: 'exp', to })
const floor = (to: Formula): Formula => ({ apply: 'floor', to })
const ln = (to: Formula): Formula => ({ apply: 'ln', to })
/** Grafana's calculations have no square root: √x = exp(ln(x) / 2). */
const sqrt = (to: Formula): Formula => exp([ln(to), '*', 0.5])

/** 95 %: the standard normal distribution's 97.5th percentile. */
const Z = 1.96
const Z2 = 3.8416

/** A share; NaN if the whole is zero. */
export const shareOf = (part: Formula, whole: Formula): Formula => [part, '/', whole]

/** A bound of the Wilson 95 % interval for x of n (Wilson 1927); the same as `wilson` in promql.ts. */
export function bound(end: 'lower' | 'upper', x: Formula, n: Formula): Formula {
  const variance: Formula = [[[x, '*', [n, '-', x]], '/', n], '+', Z2 / 4]
  const spread: Formula = [Z, '*', sqrt(variance)]
  const middle: Formula = [x, '+', Z2 / 2]
  // The bound is never negative; abs() removes the sign of a rounding error.
  return abs([[middle, end === 'lower' ? '-' : '+', spread], '/', [n, '+', Z2]])
}

/** Added to a value with too few samples: far above any z-score or change, so that a value mapping recognises it. */
export const TOO_FEW = 1e9

/** 1 if n is below the minimum, else 0. Grafana's calculations have no conditions, but exp(-1000) is 0. */
export const isFew = (n: Formula): Formula => exp([floor([n, '/', ENOUGH]), '*', -1000])
/** 1 if n, a count, is 0, else 0. */
export const isNone = (n: Formula): Formula => exp([n, '*', -1000])

/** The formula, plus `TOO_FEW` for each sample below the minimum. */
export const unlessFew = (formula: Formula, ...samples: readonly Formula[]): Formula => [
  formula,
  '+',
  [samples.map(isFew).reduce((left, right) => [left, '+', right]), '*', TOO_FEW],
]

/**
 * A quotient, plus `TOO_FEW` for a sample below the minimum, also if there is nothing to divide by: an empty sample is a
 * sample that is too small.
 */
export const shareUnlessFew = (part: Formula, whole: Formula, n: Formula = whole): Formula =>
  unlessFew([part, '/', [whole, '+', isFew(n)]], n)

interface Sample {
  /** The count with the property. */
  readonly part: Formula
  /** The size of the sample. */
  readonly whole: Formula
}

/**
 * The z-score of the two-proportion test with pooled variance: the number of standard errors by which the share in
 * `now` is above (`better: 'more'`) or below (`'less'`) the share in `before`. Zero if both are 0 % or both are 100 %.
 */
export function zScore(now: Sample, before: Sample, better: 'more' | 'less'): Formula {
  const share = shareOf(now.part, now.whole)
  const shareBefore = shareOf(before.part, before.whole)
  const pooled = shareOf([now.part, '+', before.part], [now.whole, '+', before.whole])
  const variance: Formula = [
    [pooled, '*', [1, '-', pooled]],
    '*',
    [[1, '/', now.whole], '+', [1, '/', before.whole]],
  ]
  const difference: Formula = better === 'more' ? [share, '-', shareBefore] : [shareBefore, '-', share]
  // abs(): at a share of 100 %, rounding can give a tiny negative variance.
  return [difference, '/', sqrt([abs(variance), '+', 1e-30])]
}

/**
 * The z-score that one of `comparisons` tests must exceed so that on noise at most 5 % of tables have any verdict
 * (Bonferroni): the normal quantile at 1 - 0.025 / comparisons, by Abramowitz and Stegun 26.2.22 (error below 0.003).
 */
export function criticalZ(comparisons: Formula): Formula {
  const t = sqrt([2, '*', ln([40, '*', comparisons])])
  const numerator: Formula = [2.30753, '+', [0.27061, '*', t]]
  const denominator: Formula = [[1, '+', [0.99229, '*', t]], '+', [0.04481, '*', [t, '*', t]]]
  return [t, '-', [numerator, '/', denominator]]
}

/**
 * How one sample compares with another (decisions/064): above 1 better, below -1 worse, between them unclear, at
 * least `TOO_FEW / 2` insufficient data.
 */
export const verdict = (
  now: Sample,
  before: Sample,
  better: 'more' | 'less',
  comparisons: Formula,
): Formula => unlessFew([zScore(now, before, better), '/', criticalZ(comparisons)], now.whole, before.whole)

/** The formulas as steps of Grafana's “Add field from calculation”. A part that occurs twice is calculated once. */
export function calculations(
  formulas: ReadonlyMap<string, Formula>,
  fieldOf: (column: string) => string,
): DataTransformerConfig[] {
  const steps: DataTransformerConfig[] = []
  const known = new Map<string, string>()
  const step = (alias: string, options: object): string => {
    steps.push({ id: 'calculateField', options: { ...options, alias, timeSeries: false } })
    return alias
  }

  function field(formula: Formula, name?: string): string {
    if (typeof formula === 'string') return fieldOf(formula)
    if (typeof formula === 'number') return String(formula)
    const key = JSON.stringify(formula)
    const found = known.get(key)
    if (found !== undefined && name === undefined) return found
    const options = Array.isArray(formula)
      ? binary(formula as Extract<Formula, readonly unknown[]>)
      : unary(formula as Extract<Formula, { apply: string }>)
    const alias = step(name ?? `step ${steps.length + 1}`, options)
    known.set(key, alias)
    return alias
  }
  const binary = ([left, operator, right]: Extract<Formula, readonly unknown[]>): object => ({
    mode: 'binary',
    binary: { left: field(left), operator, right: field(right) },
  })
  const unary = ({ apply, to }: Extract<Formula, { apply: string }>): object => ({
    mode: 'unary',
    unary: { operator: apply, fieldName: field(to) },
  })

  for (const [name, formula] of formulas) field(formula, name)
  return steps
}
