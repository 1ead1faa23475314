/** Joins label matchers; skips empty ones. */
export const matchers = (...parts: readonly (string | undefined)[]): string => parts.filter(Boolean).join(',')

/** An instant selector: a metric with its label matchers. */
export const select = (name: string, ...where: readonly (string | undefined)[]): string => {
  const all = matchers(...where)
  return all === '' ? name : `${name}{${all}}`
}

export interface Increase {
  readonly name: string
  /** Label matchers of the series. */
  readonly where?: string
  /** Label matchers that select exporters, such as `job="…"`. */
  readonly exporters?: string
  /** A PromQL duration, or one of Grafana's variables such as `$__range`. */
  readonly window: string
  /** The window ends this long before now. */
  readonly offset?: string
  /** For counts: rounds what has to be extrapolated. */
  readonly whole?: boolean
  /** The window ends at the end of the time range, for every point of a range query. */
  readonly atEnd?: boolean
  /** Keeps groups without any increase: for counters that every exporter has from its start, see `sumBy`. */
  readonly zeros?: boolean
  /** What the counter survives: a restart of the process (the default), or not even that. */
  readonly keptIn?: 'state' | 'process'
}

/** Which state an exporter has: it changes when the state is lost, or when another exporter gets its name. */
export const STATE_CREATED = 'audit_exporter_state_created_timestamp_seconds'

/** One hour: how long an exporter may be away at the beginning of a window without any loss. */
const LOOKBACK = '1h'

/**
 * The exact increase of each counter of the exporters (decisions/090): the last value in the window minus the value
 * before it. increase() extrapolates to the ends of the window, which is wrong for series that begin or end within it.
 * A series without a value before the window starts from its first value inside: the zero of its birth, or the baseline
 * of a very first start. Only where an exporter has lost its state, so that its counters fell, increase() is used.
 */
export function exactIncrease(spec: Increase): string {
  const { name, where, exporters, window, offset, whole, atEnd, keptIn = 'state' } = spec
  const of = select(name, exporters, where)
  const inside = range(of, window, offset, atEnd)
  const atStart = offset === undefined ? window : later(window, offset)
  const before = `last_over_time(${range(of, LOOKBACK, atStart, atEnd)})`
  const recent = (marker: string): string => range(marker, later(window, LOOKBACK), offset, atEnd)
  const origin = keptIn === 'state' ? STATE_CREATED : 'process_start_time_seconds'
  const restarted = `changes(${recent(select(origin, exporters))}) > 0`
  const increase = `increase(${inside})`
  return (
    `(clamp_min(last_over_time(${inside}) - (${before} or min_over_time(${inside})), 0)` +
    ` unless on (job, instance) ${restarted}` +
    ` or ${whole === true ? `round(${increase})` : increase})`
  )
}

/** Increases by labels, summed over the exporters. */
export const sumOfIncrease = (by: readonly string[], increase: Increase): string =>
  sumBy(by, exactIncrease(increase), increase.zeros)

/**
 * The sum of increases by labels. A group without any increase has no series: whether it has one at zero would depend
 * on whether an exporter that counted it earlier is still alive. Buckets are cumulative, so all of them stay.
 */
export function sumBy(by: readonly string[], increases: string, zeros = false): string {
  if (by.length === 0) return `sum(${increases})`
  const sum = `sum by (${by.join(', ')}) (${increases})`
  return zeros || by.includes('le') ? sum : `(${sum} > 0)`
}

/** A range selector; `atEnd`: the same at every point of a range query. */
export const range = (of: string, window: string, offset: string | undefined, atEnd = false): string =>
  `${of}[${window}]${offset === undefined ? '' : ` offset ${offset}`}${atEnd ? ' @ end()' : ''}`

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** A duration in seconds; `undefined` for a variable of Grafana. */
function seconds(duration: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+)([smhd])$/.exec(duration) ?? []
  return amount === undefined ? undefined : Number(amount) * SECONDS[unit]!
}

/**
 * The sum of two durations, the second not longer than the first. PromQL has no arithmetic for durations, but takes
 * several units in one, the largest first. So to a variable of Grafana milliseconds can be added, and Grafana gives its
 * range in both units: `${__range_s}s${__range_ms}ms` is twice the range.
 */
export function later(window: string, more: string): string {
  const [left, right] = [seconds(window), seconds(more)]
  if (right === undefined) {
    if (window === '$__range' && more === '$__range') return '${__range_s}s${__range_ms}ms'
    throw new RangeError(`the durations ${window} and ${more} cannot be added`)
  }
  if (left === undefined) return `${window.replace(/^\$(\w+)$/, '${$1}')}${right * 1000}ms`
  const total = left + right
  const unit = ['d', 'h', 'm'].find((unit) => total % (SECONDS[unit] ?? 1) === 0) ?? 's'
  return `${total / (SECONDS[unit] ?? 1)}${unit}`
}
