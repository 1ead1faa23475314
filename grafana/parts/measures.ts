import { TOO_FEW } from './formulas.ts'
import type { Query } from './queries.ts'
import { matchers, sumBy } from '../../prometheus/increase.ts'
import {
  count,
  countAny,
  ENOUGH,
  enough,
  ratio,
  ratioIfEnough,
  share,
  shareOfAllIfEnough,
  total,
  wilson,
  type Selection,
} from './promql.ts'

/**
 * The measures of the audits, each defined once. All are quotients of sums. Two rules apply to all of them:
 * abandoned builds (no verification) do not count towards pass rates, and the tokens of unsuccessful builds
 * count towards the cost of a success. Pass rates, tokens per success and the rework cost factor have no value if the
 * sample is below the minimum.
 */

const narrowed = (selection: Selection, where: string): Selection => ({
  ...selection,
  where: matchers(selection.where, where),
})

/** Builds that closed, with any outcome. */
export const closed = (selection: Selection): string => count('builds', selection)
/** Builds with a verdict: every outcome but `abandoned`. */
export const judged = (selection: Selection): string =>
  count('builds', narrowed(selection, 'outcome!="abandoned"'))
export const passedFirst = (selection: Selection): string =>
  count('builds', narrowed(selection, 'outcome="first_pass"'))
export const succeeded = (selection: Selection): string =>
  count('builds', narrowed(selection, 'outcome=~"first_pass|after_rework"'))

/** Validations: entries that fail in any phase, and those that pass in the phase `verify`. */
export const validations = (selection: Selection): string =>
  countAny('entries', selection, ['status="fail"', 'status="pass",phase="verify"'])
/** Failed validations with an error type. */
export const failures = (selection: Selection): string =>
  count('entries', narrowed(selection, 'status="fail",error_type!=""'))
/** Step runs of a phase. */
export const runs = (phase: string, selection: Selection): string =>
  count('entries', narrowed(selection, `phase="${phase}"`))

/** Share of the judged builds that passed their first verification. */
export const firstPassRate = (selection: Omit<Selection, 'by'>): string =>
  shareOfAllIfEnough(passedFirst(selection), judged(selection))

/** A bound of the 95 % interval of `firstPassRate`. */
export function firstPassBound(bound: 'lower' | 'upper', selection: Omit<Selection, 'by'>): string {
  const kinds = `sum by (passed) (label_replace(${judged({ ...selection, by: ['outcome'] })}, "passed", "first", "outcome", "first_pass"))`
  const zeros = 'label_replace(vector(0), "passed", "first", "", "") or vector(0)'
  return wilson(bound, {
    part: passedFirst(selection),
    whole: judged(selection),
    partAndRest: `${kinds} or ${zeros}`,
    least: ENOUGH,
  })
}

/** Tokens of all closed builds divided by the number of successful ones. */
export const tokensPerSuccess = (selection: Selection): string =>
  ratioIfEnough(total('buildTokens', selection), succeeded(selection))

/** Completion tokens of fixes divided by the characters of error log that they were given. */
export const reworkCostFactor = (selection: Selection): string => {
  const factor = ratio(total('reworkCompletionTokens', selection), total('reworkErrorLogChars', selection))
  return `${factor} and (${enough(runs('rework', selection))})`
}

/** Tokens of GEMINI.md as a share of whole prompts: the parts context, instruction and other add up to them. */
export const contextShare = (selection: Selection): string =>
  share(total('promptTokens', narrowed(selection, 'part="context"')), total('promptTokens', selection))

/** The price of a token by its type; `unsplit` counts as prompt. */
const PRICES = Object.entries({
  prompt: '$price_prompt',
  unsplit: '$price_prompt',
  completion: '$price_completion',
})
  .map(([type, price]) => `label_replace(vector(${price}), "type", "${type}", "", "")`)
  .join(' or ')

/** US dollars at the prices set above the dashboard. Unsplit tokens count as prompt tokens. */
export function cost({ by = [], ...selection }: Selection): string {
  const tokens = total('tokens', { ...selection, by: [...by, 'type'] })
  return sumBy(by, `${tokens} * on (type) group_left () (${PRICES}) / 1e6`, true)
}

/** What `rangeAndBefore` compares, for descriptions. */
export const BEFORE = '“before”: the preceding time range of the same length.'

/** A measure in the selected time range and in the preceding range of the same length. */
export const rangeAndBefore = (where: string, measure: (selection: Selection) => string): Query[] => [
  { expr: measure({ where }), legend: 'this range' },
  { expr: measure({ where, offset: '$__range' }), legend: 'before' },
]

/** A count; zero without any. */
export const orZero = (count: string): string => `(${count} or vector(0))`

/**
 * The same, with the size of the sample in this time range beside it. The measure has no value below the minimum size;
 * the tile says `n < 20` then.
 */
export const withSample = (
  where: string,
  measure: (selection: Selection) => string,
  sample: (selection: Selection) => string,
  of: string,
): Query[] => [
  ...rangeAndBefore(where, (selection) => `${measure(selection)} or vector(${TOO_FEW})`),
  { expr: orZero(sample({ where })), legend: sampleOf(of) },
]

/** A measure of a sample that is large enough. */
export const ifEnough = (
  measure: (selection: Selection) => string,
  sample: (selection: Selection) => string,
): ((selection: Selection) => string) => {
  return (selection) => `(${measure(selection)}) and (${enough(sample(selection))})`
}

/** What the size of a sample is called in a tile: `of` says which builds or fixes, in a word that fits beside two numbers. */
const sampleOf = (of: string): string => `n (${of})`
/** And beside a line, which is only drawn where the sample is large enough. */
export const samplesOf = (of: string): string => `n (${of}; no point below ${ENOUGH})`
