import { CATALOGUE, type MetricKey, prometheusName } from '../../src/metrics/catalogue.ts'

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
}

/** Suffix of a histogram's series. */
type Part = 'sum' | 'count' | 'bucket'

/** Joins label matchers; skips those that are not given. */
export const matchers = (...parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join(',')

const sumBy = (by: readonly string[] = []): string => (by.length > 0 ? `sum by (${by.join(', ')}) ` : 'sum')
const rangeOf = (name: string, { where = '', window = RANGE, offset }: Selection): string =>
  `${name}${where && `{${where}}`}[${window}]${offset === undefined ? '' : ` offset ${offset}`}`

/** The increase of a counter. `exact`: rounded series by series, for counts. */
function increaseOf(name: string, selection: Selection, exact: boolean): string {
  const { by, where = '', window } = selection
  if (window === BUCKET) return `${sumBy(by)}(${increaseInBucket(`${name}${where && `{${where}}`}`)})`
  const increase = `increase(${rangeOf(name, selection)})`
  return `${sumBy(by)}(${exact ? `round(${increase})` : increase})`
}

/** Prometheus' lookback; longer than the four minutes between samples of imported history. */
const LOOKBACK = '5m'

/**
 * The increase of each series since the last sample before the bar. increase() ignores the step between the last
 * scrape of one bar and the first of the next, so its bars add up to less than the total. A series without a sample
 * before the bar starts from its first one inside: the zero at its birth, or the baseline of the very first start.
 */
export function increaseInBucket(selector: string): string {
  const before = [LOOKBACK, BUCKET].map((window) => `last_over_time(${selector}[${window}] offset ${BUCKET})`)
  const first = `min_over_time(${selector}[${BUCKET}])`
  return `clamp_min(last_over_time(${selector}[${BUCKET}]) - (${[...before, first].join(' or ')}), 0)`
}

/**
 * The increase of a counter of events. Prometheus extrapolates by up to a scrape interval at each end; rounding
 * series by series removes that. Exact for counts that are small compared with the number of scrapes.
 */
export const count = (metric: MetricKey, selection: Selection = {}): string =>
  increaseOf(prometheusName(CATALOGUE[metric]), selection, true)

/** `count` over the series that match any of the alternatives; no series may match two of them. */
export function countAny(metric: MetricKey, selection: Selection, alternatives: readonly string[]): string {
  const increases = alternatives.map((alternative) => {
    const where = matchers(selection.where, alternative)
    return `round(increase(${rangeOf(prometheusName(CATALOGUE[metric]), { ...selection, where })}))`
  })
  return `${sumBy(selection.by)}(${increases.join(' or ')})`
}

/** The increase of a sum such as tokens; not rounded. */
export const total = (metric: MetricKey, selection: Selection = {}): string =>
  increaseOf(prometheusName(CATALOGUE[metric]), selection, false)

/** The increase of the sum, count or buckets of a histogram. */
export const observed = (metric: MetricKey, part: Part, selection: Selection = {}): string =>
  increaseOf(`${prometheusName(CATALOGUE[metric])}_${part}`, selection, part === 'count')

/** A quotient of sums; no value if the denominator is zero or missing. */
export const ratio = (numerator: string, denominator: string): string =>
  `(${numerator}) / ((${denominator}) > 0)`

/** A quotient of sums; a missing numerator counts as zero. */
export const share = (part: string, whole: string): string =>
  `((${part}) or (${whole}) * 0) / ((${whole}) > 0)`

/** 95 %: the standard normal distribution's 97.5th percentile. */
const Z = 1.96
const Z2 = 3.8416

/**
 * A bound of the Wilson 95 % interval (Wilson 1927) for the share of `part` in `whole`: valid for small samples, always
 * between 0 and 1. No value if the whole is zero or missing.
 */
export function wilson(bound: 'lower' | 'upper', part: string, whole: string): string {
  const n = `((${whole}) > 0)`
  const x = `((${part}) or (${whole}) * 0)`
  const spread = `${Z} * sqrt(clamp_min(${x} * (${n} - ${x}) / ${n}, 0) + ${Z2 / 4})`
  return `(${x} + ${Z2 / 2} ${bound === 'lower' ? '-' : '+'} ${spread}) / (${n} + ${Z2})`
}

/**
 * One series per GEMINI.md revision with its `version` (v1, v2, …): its place in the order of first use over all
 * exporters, as prometheus/rules/revisions.yml knows it at the end of the time range. Imported history is older than
 * the rules: where a time range ends before their first evaluation, the numbers of the exporters serve.
 */
const VERSIONS =
  '(max by (context_hash, version) (context_hash:audit_context_version:info @ end())' +
  ' or topk by (context_hash) (1, max by (context_hash, version) (audit_context_info))' +
  ' unless on () count(context_hash:audit_context_version:info @ end()))'

/** First use of each revision over all exporters, in Unix seconds. */
export const FIRST_SEEN =
  'min by (context_hash) (context_hash:audit_context_first_seen_timestamp_seconds:min or audit_context_first_seen_timestamp_seconds)'

/** Adds the `version` to an expression by `context_hash`. Drops series without one (`unknown`, `_other`). */
export const withVersion = (expression: string): string =>
  `(${expression}) * on (context_hash) group_left (version) ${VERSIONS}`

/** The hash of each revision with that of its predecessor; recorded by prometheus/rules/recording.yml. */
const PREVIOUS = 'max by (context_hash, previous_hash) (context_hash:audit_context_previous:info)'

/**
 * An expression by `context_hash` (and the labels in `keep`), moved to the next revision: the result holds, under
 * each revision, the value of its predecessor.
 */
export function ofPrevious(expression: string, keep: readonly string[] = []): string {
  const moved =
    `label_replace(${expression}, "previous_hash", "$1", "context_hash", "(.*)")` +
    ` * on (previous_hash) group_left (context_hash) ${PREVIOUS}`
  return `sum by (${['context_hash', ...keep].join(', ')}) (${moved})`
}

/** Minimum sample size for a share. */
export const ENOUGH = 20

/** Keeps the values that are at least the minimum sample size. */
export const enough = (whole: string): string => `(${whole}) >= ${ENOUGH}`

/** The number of series of an expression as a scalar; 1 if there are none. */
export const countOf = (expression: string): string => `scalar(count(${expression}) or vector(1))`

/** A share; no value below the minimum sample size. */
export const shareIfEnough = (part: string, whole: string): string => ifEnough(share(part, whole), whole)

/** An expression; no value if `whole` is below the minimum sample size. */
export const ifEnough = (expression: string, whole: string): string =>
  `(${expression}) and (${enough(whole)})`
