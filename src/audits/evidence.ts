import { counted, number, percent, points, probability, signed } from '../render/format.ts'
import type { Comparison } from './schema.ts'

/** Whether the values of a comparison are shares or tokens. */
export type Unit = 'share' | 'tokens'

/** The names of the two sides of a comparison, and which of them is the better one. */
export interface Sides {
  readonly first: string
  readonly second: string
  readonly secondIsBetter: boolean
  /** Chance decided to which side each build belongs. */
  readonly isAssigned?: boolean
}

/**
 * One sentence: both values with their sides, the difference with its interval, the sample sizes and the test. It
 * always goes from the worse side to the better one, so that the difference is what the better side gains.
 */
export function evidenceOf(comparison: Comparison, unit: Unit, sides: Sides): string {
  const { batches, test, p, q } = comparison
  const { from, to, difference } = sides.secondIsBetter
    ? fromFirst(comparison, sides)
    : fromSecond(comparison, sides)
  const value = unit === 'share' ? percent : number
  const change = unit === 'share' ? points : signed
  const changed =
    `${change(difference.value)}${unit === 'share' ? '' : ' tokens'} ` +
    `(95 % interval ${change(difference.low)} to ${change(difference.high)})`
  return (
    `${from.name} ${value(from.value)} to ${to.name} ${value(to.value)}, ${changed}; ` +
    `n = ${number(from.n)} and ${number(to.n)} in ${counted(batches, 'batch', 'batches')}; ` +
    `${sides.isAssigned === true ? 'assigned at random; ' : ''}${test}, p ${probability(p)}, after correction ${probability(q)}.`
  )
}

interface Directed {
  readonly from: Side
  readonly to: Side
  readonly difference: Comparison['difference']
}

interface Side {
  readonly name: string
  readonly value: number
  readonly n: number
}

const fromFirst = ({ first, second, n, difference }: Comparison, sides: Sides): Directed => ({
  from: { name: sides.first, value: first, n: n[0] },
  to: { name: sides.second, value: second, n: n[1] },
  difference,
})

function fromSecond(comparison: Comparison, sides: Sides): Directed {
  const { from, to, difference } = fromFirst(comparison, sides)
  const { value, low, high } = difference
  return { from: to, to: from, difference: { value: -value, low: -high, high: -low } }
}
