import { OTHER } from './colors.ts'
import { matchers } from '../../prometheus/increase.ts'
import type { Selection } from './promql.ts'
import type { Query } from './queries.ts'

/** Selects the series of single values. */
export const NOT_OTHER = `^(?!${OTHER}$).*`

/**
 * Leaves out what the exporter counted beyond the maximum number of values: `_other` is no value, so it is never ranked
 * as if it were one.
 */
export const named = (label: string, where?: string): string => matchers(where, `${label}!="_other"`)

/**
 * The `n` highest values of a label, and the sum of all others, so that the bars add up to the total. The sum does not
 * depend on which of equal values topk() chooses.
 */
export function topAndOther(
  n: number,
  label: string,
  amount: (selection: Selection) => string,
  selection: Selection,
): Query[] {
  const values = amount({ ...selection, by: [label], where: named(label, selection.where) })
  return [
    { expr: `sort_desc(topk(${n}, ${values}))`, legend: `{{${label}}}` },
    { expr: `${amount(selection)} - (sum(topk(${n}, ${values})) or vector(0))`, legend: OTHER },
  ]
}
