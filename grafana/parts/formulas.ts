import type { DataTransformerConfig } from '@grafana/grafana-foundation-sdk/dashboard'
import { ENOUGH } from './promql.ts'

/**
 * Arithmetic between the columns of a table, done by Grafana. PromQL has no names for parts of an expression: a
 * test of two proportions in it evaluates every sum a dozen times, over all samples of the range.
 */
export type Formula =
  | string
  | number
  | readonly [left: Formula, operator: '+' | '-' | '*' | '/', right: Formula]
  | { readonly apply: 'abs' | 'exp' | 'ln' | 'floor'; readonly to: Formula }

const abs = (to: Formula): Formula => ({ apply: 'abs', to })
const exp = (to: Formula): Formula => ({ apply: 'exp', to })
const floor = (to: Formula): Formula => ({ apply: 'floor', to })
/** Grafana's calculations have no square root. */
const sqrt = (to: Formula): Formula => exp([{ apply: 'ln', to }, '*', 0.5])

/** 95 %: the standard normal distribution's 97.5th percentile. */
export const Z = 1.96
const Z2 = 3.8416

/** A share; not a number where the whole is zero. */
export const shareOf = (part: Formula, whole: Formula): Formula => [part, '/', whole]

/** A bound of Wilson's 95 % interval, as `wilson` in promql.ts. */
export function bound(end: 'lower' | 'upper', x: Formula, n: Formula): Formula {
  const variance: Formula = [[[x, '*', [n, '-', x]], '/', n], '+', Z2 / 4]
  const spread: Formula = [Z, '*', sqrt(variance)]
  const middle: Formula = [x, '+', Z2 / 2]
  // Never below zero; the absolute value takes off a rounding error's sign.
  return abs([[middle, end === 'lower' ? '-' : '+', spread], '/', [n, '+', Z2]])
}

/** What a value is raised by that stands on too few: far above any z or change, so that it can be told. */
export const TOO_FEW = 1e9

/** 1 where n is below the minimum, else 0: the calculations have no conditions, but e⁻¹⁰⁰⁰ is zero. */
const below = (n: Formula): Formula => exp([floor([n, '/', ENOUGH]), '*', -1000])

/** The formula, raised out of reach where one of the samples is too small. */
export const unlessFew = (formula: Formula, ...samples: readonly Formula[]): Formula => [
  formula,
  '+',
  [samples.map(below).reduce((left, right) => [left, '+', right]), '*', TOO_FEW],
]

interface Sample {
  /** How many of them. */
  readonly part: Formula
  /** Of how many. */
  readonly whole: Formula
}

/**
 * How many standard errors the share in one sample lies above (`better: 'more'`) or below that in another: from
 * ±1.96 on, chance explains it in one case of twenty only. Zero where both are 0 % or both are 100 %.
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
  // abs(): where the share is 100 %, rounding may leave a negative nothing.
  return unlessFew([difference, '/', sqrt([abs(variance), '+', 1e-30])], now.whole, before.whole)
}

/** Steps of Grafana's “add field from calculation”, each part once, the last of each named as asked. */
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
