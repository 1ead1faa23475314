import { matchers, select, sumOfIncrease } from '../../prometheus/increase.ts'
import { sumOfLives } from '../../prometheus/lives.ts'
import { LIVED } from '../../src/metrics/lives.ts'
import { CATALOGUE, type MetricKey, prometheusName } from '../../src/metrics/catalogue.ts'
import { countersOf } from './counters.ts'
import { JOB } from './selectors.ts'

/** The time range of the dashboard; for totals. */
const RANGE = '$__range'
/** The window set above the dashboard; for line charts. */
export const WINDOW = '$window'
/** The width of one bar or cell; for counts that must add up to the total. */
export const BUCKET = '$__interval'

export interface Selection {
  /** Labels to keep. */
  readonly by?: readonly string[]
  /** Label matchers without the braces. */
  readonly where?: string
  /** A PromQL duration. Default: the time range of the dashboard. */
  readonly window?: string
  /** Evaluate this long before now, a PromQL duration. */
  readonly offset?: string
  /** The window ends at the end of the time range, for every point of a line. */
  readonly atEnd?: boolean
  /** Keeps groups without any increase: for counters that every exporter has from its start. */
  readonly zeros?: boolean
}

/** Suffix of a histogram's series. */
type Part = 'sum' | 'count' | 'bucket'

/** The increase of the series of a counter that match any of the alternatives; no series may match two of them. */
export function countAny(
  metric: MetricKey,
  { by = [], ...selection }: Selection,
  alternatives: readonly string[],
): string {
  const sums = countersOf(metric, { by, where: selection.where, alternatives }).map((counter) => {
    const { name } = counter
    const wheres = alternatives.map((alternative) => matchers(counter.where, alternative))
    return sumOfLives(by, { name, exporters: JOB, window: RANGE, ...selection }, wheres)
  })
  return sums.length === 1 ? sums[0]! : `(${sums.join(' or ')})`
}

/** The increase of a counter: of events, or of a sum such as tokens. */
const increaseOf = (metric: MetricKey, selection: Selection, whole: boolean): string => {
  const name = prometheusName(CATALOGUE[metric])
  return LIVED.has(name) ? countAny(metric, selection, ['']) : scraped(name, selection, whole)
}

/** The exporter's own counters and histograms have no recorded lives: there are few of them. */
const scraped = (name: string, { by = [], ...selection }: Selection, whole: boolean): string =>
  sumOfIncrease(by, { name, exporters: JOB, window: RANGE, whole, ...selection })

/** The increase of a counter of events. */
export const count = (metric: MetricKey, selection: Selection = {}): string =>
  increaseOf(metric, selection, true)

/** The increase of a sum such as tokens. */
export const total = (metric: MetricKey, selection: Selection = {}): string =>
  increaseOf(metric, selection, false)

/** The increase of the sum, count or buckets of a histogram. */
export const observed = (metric: MetricKey, part: Part, selection: Selection = {}): string =>
  scraped(`${prometheusName(CATALOGUE[metric])}_${part}`, selection, part !== 'sum')

/** A quotient of sums; no value if the denominator is zero or missing. */
export const ratio = (numerator: string, denominator: string): string =>
  `(${numerator}) / ((${denominator}) > 0)`

/** A quotient of sums; a missing numerator counts as zero. */
export const share = (part: string, whole: string): string =>
  `((${part}) or (${whole}) * 0) / ((${whole}) > 0)`

/** Minimum sample size for a share. */
export const ENOUGH = 20

/** Keeps the values that are at least the minimum sample size. */
export const enough = (whole: string): string => `(${whole}) >= ${ENOUGH}`

/** `ratio` for lines: no point where the denominator is below the minimum sample size. */
export const ratioIfEnough = (numerator: string, denominator: string): string =>
  `(${numerator}) / (${enough(denominator)})`

/** `share` for lines: no point where the whole is below the minimum sample size. */
export const shareIfEnough = (part: string, whole: string): string =>
  `((${part}) or (${whole}) * 0) / (${enough(whole)})`

/**
 * The same for sums without labels, in which the whole stands once: PromQL evaluates each part of an expression as
 * often as it is written.
 */
export const shareOfAllIfEnough = (part: string, whole: string): string =>
  `(${part} or vector(0)) / (${enough(whole)})`

/** 95 %: the standard normal distribution's 97.5th percentile. */
const Z = 1.96
const Z2 = 3.8416

/**
 * A bound of the Wilson 95 % interval (Wilson 1927) for the share of `part` in `whole`, sums without labels: valid for
 * small samples, always between 0 and 1. No value if the whole is missing or below `least`. `partAndRest`: the part and
 * the rest of the whole in one vector, with zeros. x (n - x) / n = 1 / (1/x + 1 / (n - x)), so one evaluation gives it.
 */
export function wilson(
  bound: 'lower' | 'upper',
  sums: {
    readonly part: string
    readonly whole: string
    readonly partAndRest: string
    readonly least: number
  },
): string {
  const variance = `1 / sum(1 / (${sums.partAndRest}))`
  const spread = `${Z} * sqrt(${variance} + ${Z2 / 4})`
  const middle = `(${sums.part} or vector(0)) + ${Z2 / 2}`
  return `(${middle} ${bound === 'lower' ? '-' : '+'} ${spread}) / ((${sums.whole} >= ${sums.least}) + ${Z2})`
}

const NAMES = 'context_hash:audit_context_version:info'

/**
 * One series per GEMINI.md revision with its name in the label `revision`: short hash and day of the first use over all
 * exporters, as prometheus/rules/revisions.yml knows it at the end of the time range. Imported history is older than
 * the rules: where a time range ends before their first evaluation, the name is the short hash.
 */
const revisions = (where: string): string =>
  `(max by (context_hash, revision) (${select(NAMES, where)} @ end())` +
  ` or label_replace(group by (context_hash) (${select('audit_context_info', where)}), "revision", "$1", "context_hash", "(.{1,7}).*")` +
  ` unless on () count(${NAMES} @ end()))`

/** First use of each revision over all exporters, in Unix seconds, as it is known at the end of the time range. */
export const FIRST_SEEN =
  'min by (context_hash) (context_hash:audit_context_first_seen_timestamp_seconds:min @ end()' +
  ' or audit_context_first_seen_timestamp_seconds @ end())'

/** A number for each revision that rises with its place in the order; their first uses before there are any rules. */
export const ORDER =
  `(max by (context_hash) (context_hash:audit_context_order:rank @ end())` +
  ` or ${FIRST_SEEN} unless on () count(context_hash:audit_context_order:rank @ end()))`

/**
 * Adds the name of its revision to an expression by `context_hash`. Drops series without one (`unknown`, `_other`), and
 * revisions that `where` does not select.
 */
export const withRevision = (expression: string, where = ''): string =>
  `(${expression}) * on (context_hash) group_left (revision) ${revisions(where)}`

/** Only the revisions that `where` selects. */
export const ofRevisions = (expression: string, where: string): string =>
  `(${expression}) and on (context_hash) ${revisions(where)}`

/** The hash of each revision with that of its predecessor; recorded by prometheus/rules/revisions.yml. */
export const PREVIOUS = 'context_hash:audit_context_previous:info'
const PREVIOUS_ONE = `max by (context_hash, previous_hash) (${PREVIOUS})`

/**
 * An expression by `context_hash` (and the labels in `keep`), moved to the next revision: the result holds, under
 * each revision, the value of its predecessor.
 */
export function ofPrevious(expression: string, keep: readonly string[] = []): string {
  const moved =
    `label_replace(${expression}, "previous_hash", "$1", "context_hash", "(.*)")` +
    ` * on (previous_hash) group_left (context_hash) ${PREVIOUS_ONE}`
  return `sum by (${['context_hash', ...keep].join(', ')}) (${moved})`
}

/** Until when each revision was the newest: the first use of the next one, or the end of the time range; Unix seconds. */
export const NEWEST_UNTIL =
  `(sum by (context_hash) (label_replace(sum by (previous_hash) (${FIRST_SEEN}` +
  ` * on (context_hash) group_left (previous_hash) ${PREVIOUS_ONE}), "context_hash", "$1", "previous_hash", "(.*)"))` +
  ` or ${FIRST_SEEN} * 0 + time())`

/** The number of series of an expression as a scalar; 1 if there are none. */
export const countOf = (expression: string): string => `scalar(count(${expression}) or vector(1))`
