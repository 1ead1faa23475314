import { CATALOGUE, type MetricKey, prometheusName } from '../../src/metrics/catalogue.ts'

/** The time range of the dashboard: for totals. */
const RANGE = '$__range'
/** The chosen moving window: for lines. */
export const WINDOW = '$window'
/** One bar or cell of a graph: for counts that must add up to the total. */
export const BUCKET = '$__interval'

export interface Selection {
  /** Labels to keep. */
  readonly by?: readonly string[]
  /** Label matchers, as PromQL writes them between the braces. */
  readonly where?: string
  /** A PromQL duration; default: the dashboard's time range. */
  readonly window?: string
  /** Look that long before now, a PromQL duration. */
  readonly offset?: string
}

/** Part of a histogram as Prometheus names it. */
type Part = 'sum' | 'count' | 'bucket'

/** How much a metric of the catalogue grew. */
function grew(name: string, { by = [], where = '', window = RANGE, offset }: Selection, exact: boolean) {
  const selector = `${name}${where && `{${where}}`}`
  const sum = `sum${by.length > 0 ? ` by (${by.join(', ')}) ` : ''}`
  if (window === BUCKET) return `${sum}(${grewInBucket(selector)})`
  const vector = `${selector}[${window}]${offset === undefined ? '' : ` offset ${offset}`}`
  return `${sum}(${exact ? `round(increase(${vector}))` : `increase(${vector})`})`
}

/** As long as Prometheus takes the last sample for the present one; longer than the four minutes of imported history. */
const LOOKBACK = '5m'

/**
 * What each series grew by since the last sample before the bar. increase() sees no step between the last scrape of
 * one bar and the first of the next: its bars add up to less than the total. A series without a sample before the
 * bar starts from its first one inside, which is the zero it was born at, or what stood in the files at the very
 * first start.
 */
export function grewInBucket(selector: string): string {
  const before = [LOOKBACK, BUCKET].map((window) => `last_over_time(${selector}[${window}] offset ${BUCKET})`)
  const first = `min_over_time(${selector}[${BUCKET}])`
  return `clamp_min(last_over_time(${selector}[${BUCKET}]) - (${[...before, first].join(' or ')}), 0)`
}

/**
 * How often something was counted. Prometheus extrapolates by up to a scrape interval; rounding series by series
 * takes that off again, which is exact for counts that are small next to the number of scrapes.
 */
export const count = (metric: MetricKey, selection: Selection = {}): string =>
  grew(prometheusName(CATALOGUE[metric]), selection, true)

/** The sum of a quantity such as tokens. */
export const total = (metric: MetricKey, selection: Selection = {}): string =>
  grew(prometheusName(CATALOGUE[metric]), selection, false)

/** The sum, the number or the buckets of what a histogram observed. */
export const observed = (metric: MetricKey, part: Part, selection: Selection = {}): string =>
  grew(`${prometheusName(CATALOGUE[metric])}_${part}`, selection, part === 'count')

/** A quotient of sums; nothing where the denominator is zero or missing. */
export const ratio = (numerator: string, denominator: string): string =>
  `(${numerator}) / ((${denominator}) > 0)`

/** A quotient of sums whose numerator counts as zero where it is missing. */
export const share = (part: string, whole: string): string =>
  `((${part}) or (${whole}) * 0) / ((${whole}) > 0)`

/** 95 %: the standard normal distribution's 97.5th percentile. */
const Z = 1.96
const Z2 = 3.8416

/**
 * A bound of Wilson's 95 % interval for the share of `part` in `whole`: honest for small samples, and never
 * outside 0 and 1. Nothing where the whole is zero or missing.
 */
export function wilson(bound: 'lower' | 'upper', part: string, whole: string): string {
  const n = `((${whole}) > 0)`
  const x = `((${part}) or (${whole}) * 0)`
  const spread = `${Z} * sqrt(clamp_min(${x} * (${n} - ${x}) / ${n}, 0) + ${Z2 / 4})`
  return `(${x} + ${Z2 / 2} ${bound === 'lower' ? '-' : '+'} ${spread}) / (${n} + ${Z2})`
}

/** One series for each GEMINI.md revision with its `version` (v1, v2, …); one only, whoever else numbers it. */
const VERSIONS = 'topk by (context_hash) (1, max by (context_hash, version) (audit_context_info))'

/** When each revision was first used, in seconds. */
export const FIRST_SEEN = 'max by (context_hash) (audit_context_first_seen_timestamp_seconds)'

/** Adds the `version` to an expression by `context_hash`; what has none (`unknown`, `_other`) drops out. */
export const withVersion = (expression: string): string =>
  `(${expression}) * on (context_hash) group_left (version) ${VERSIONS}`

/** Each revision's hash with that of the one before it; recorded by prometheus/rules/recording.yml. */
const PREVIOUS = 'max by (context_hash, previous_hash) (context_hash:audit_context_previous:info)'

/**
 * An expression by `context_hash` (and the labels in `keep`), every value standing under the revision that
 * followed: what was before.
 */
export function ofPrevious(expression: string, keep: readonly string[] = []): string {
  const moved =
    `label_replace(${expression}, "previous_hash", "$1", "context_hash", "(.*)")` +
    ` * on (previous_hash) group_left (context_hash) ${PREVIOUS}`
  return `sum by (${['context_hash', ...keep].join(', ')}) (${moved})`
}

/** Fewer than that many say nothing about a share. */
export const ENOUGH = 20

/** A share, or nothing where there are too few for one. */
export const shareIfEnough = (part: string, whole: string): string => ifEnough(share(part, whole), whole)

/** An expression, or nothing where it stands on too few. */
export const ifEnough = (expression: string, whole: string): string =>
  `(${expression}) and ((${whole}) >= ${ENOUGH})`
