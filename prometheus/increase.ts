import { CATALOGUE, prometheusName } from '../src/metrics/catalogue.ts'

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
  /** What the counter survives: a restart of the process (the default), or not even that. */
  readonly keptIn?: 'state' | 'process'
}

/** One hour: how long an exporter may be away at the beginning of a window without any loss. */
const LOOKBACK = '1h'

/** The counter of an exporter that is never without bytes, so it falls exactly when the exporter has lost its state. */
const COUNTED_BYTES = [prometheusName(CATALOGUE.readBytes), 'result="counted"'] as const

/**
 * The exact increase of each counter of the exporters (decisions/090): the last value in the window minus the value
 * before it. increase() extrapolates to the ends of the window, which is wrong for series that begin or end within it.
 * A series without a value before the window starts from its first value inside: the zero of its birth, or the baseline
 * of a very first start. Only where an exporter has lost its state, so that its counters fell, is increase() used.
 */
export function exactIncrease(spec: Increase): string {
  const { name, where, exporters, window, offset, whole, keptIn = 'state' } = spec
  const of = select(name, exporters, where)
  const inside = range(of, window, offset)
  const atStart = offset === undefined ? window : sum(window, offset)
  const before = `last_over_time(${range(of, LOOKBACK, atStart)})`
  const recent = (marker: string): string => range(marker, sum(window, LOOKBACK), offset)
  const restarted =
    keptIn === 'state'
      ? `resets(${recent(select(COUNTED_BYTES[0], exporters, COUNTED_BYTES[1]))}) > 0`
      : `changes(${recent(select('process_start_time_seconds', exporters))}) > 0`
  const increase = `increase(${inside})`
  return (
    `(clamp_min(last_over_time(${inside}) - (${before} or min_over_time(${inside})), 0)` +
    ` unless on (job, instance) ${restarted}` +
    ` or ${whole === true ? `round(${increase})` : increase})`
  )
}

/** Increases by labels, summed over the exporters. */
export const sumOfIncrease = (by: readonly string[], increase: Increase): string =>
  `${sumBy(by)}(${exactIncrease(increase)})`

export const sumBy = (by: readonly string[]): string =>
  by.length > 0 ? `sum by (${by.join(', ')}) ` : 'sum '

const range = (of: string, window: string, offset: string | undefined): string =>
  `${of}[${window}]${offset === undefined ? '' : ` offset ${offset}`}`

const HOURS: Readonly<Record<string, number>> = { m: 1 / 60, h: 1, d: 24 }

/** A duration in hours; `undefined` for a variable of Grafana. */
function hours(duration: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+)([mhd])$/.exec(duration) ?? []
  return amount === undefined ? undefined : Number(amount) * HOURS[unit]!
}

/**
 * The sum of two durations, the second not longer than the first. PromQL has no arithmetic for durations, but takes
 * several units in one, the largest first. So to a variable of Grafana milliseconds can be added, and Grafana gives its
 * range in both units: `${__range_s}s${__range_ms}ms` is twice the range.
 */
function sum(window: string, more: string): string {
  const [left, right] = [hours(window), hours(more)]
  if (right === undefined) {
    if (window === '$__range' && more === '$__range') return '${__range_s}s${__range_ms}ms'
    throw new RangeError(`the durations ${window} and ${more} cannot be added`)
  }
  if (left === undefined) return `${window.replace(/^\$(\w+)$/, '${$1}')}${right * 3_600_000}ms`
  const total = left + right
  return total % 24 === 0 ? `${total / 24}d` : total % 1 === 0 ? `${total}h` : `${total * 60}m`
}
