import { counted, number, percent, points, probability, signed } from '../render/format.ts'
import type { Comparison } from './schema.ts'

/** Whether the values of a comparison are shares or tokens. */
export type Unit = 'share' | 'tokens'

/** One sentence: both values, the difference with its interval, the sample sizes and the test. */
export function evidenceOf(comparison: Comparison, unit: Unit): string {
  const { first, second, difference, n, batches, test, p, q } = comparison
  const value = unit === 'share' ? percent : number
  const change = unit === 'share' ? points : signed
  const changed =
    `${change(difference.value)}${unit === 'share' ? '' : ' tokens'} ` +
    `(95 % interval ${change(difference.low)} to ${change(difference.high)})`
  return (
    `${value(first)} to ${value(second)}, ${changed}; n = ${number(n[0])} and ${number(n[1])} in ${counted(batches, 'batch', 'batches')}; ` +
    `${test}, p ${probability(p)}, after correction ${probability(q)}.`
  )
}
