import type { Query } from './queries.ts'
import { count, ratio, share, total, wilson, type Selection } from './promql.ts'

/**
 * What the audits measure, each defined once. All are quotients of sums, and all follow the same two rules:
 * a build that stopped before any verification (`abandoned`) says nothing about passing, and the tokens of a
 * build that did not succeed are part of what a success costs.
 */

const and = (...parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join(',')
const narrowed = (selection: Selection, where: string): Selection => ({
  ...selection,
  where: and(selection.where, where),
})

/** Builds that reached a verdict. */
export const judged = (selection: Selection): string =>
  count('builds', narrowed(selection, 'outcome!="abandoned"'))
export const passedFirst = (selection: Selection): string =>
  count('builds', narrowed(selection, 'outcome="first_pass"'))
export const succeeded = (selection: Selection): string =>
  count('builds', narrowed(selection, 'outcome=~"first_pass|after_rework"'))

/** Entries that are a verdict: `pass` or `fail`. */
export const verifications = (selection: Selection): string =>
  count('entries', narrowed(selection, 'status=~"pass|fail"'))
/** Verdicts that are a failure of a known type. */
export const failures = (selection: Selection): string =>
  count('entries', narrowed(selection, 'status="fail",error_type!=""'))
/** Runs of a phase's steps. */
export const runs = (phase: string, selection: Selection): string =>
  count('entries', narrowed(selection, `phase="${phase}"`))

/** Share of the judged builds that passed their first verification. */
export const firstPassRate = (selection: Selection): string =>
  share(passedFirst(selection), judged(selection))
export const firstPassBound = (bound: 'lower' | 'upper', selection: Selection): string =>
  wilson(bound, passedFirst(selection), judged(selection))

/** Tokens of all closed builds over the successful ones. */
export const tokensPerSuccess = (selection: Selection): string =>
  ratio(total('buildTokens', selection), succeeded(selection))

/** Completion tokens of fixes over the characters of error log they were given. */
export const reworkCostFactor = (selection: Selection): string =>
  ratio(total('reworkCompletionTokens', selection), total('reworkErrorLogChars', selection))

/**
 * US dollars at the prices typed in above the dashboard; tokens not split count as prompt tokens. A side that has no
 * series costs nothing: traces that carry only totals have no completion tokens.
 */
export function cost(selection: Selection): string {
  const all = `${total('tokens', selection)} * 0`
  const of = (type: string): string => `(${total('tokens', narrowed(selection, type))} or ${all})`
  return `(${of('type!="completion"')} * $price_prompt + ${of('type="completion"')} * $price_completion) / 1e6`
}

/** What `nowAndBefore` compares, for descriptions. */
export const BEFORE = '“Before” is the range of the same length before this one.'

/** The same measure in the range shown and in the one before it. */
export const nowAndBefore = (where: string, measure: (selection: Selection) => string): Query[] => [
  { expr: measure({ where }), legend: 'now' },
  { expr: measure({ where, offset: '$__range' }), legend: 'before' },
]
