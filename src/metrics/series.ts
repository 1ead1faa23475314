import type { MetricDefinition } from './catalogue.ts'

/**
 * One time series. `data` is what has been counted, `committed` the part of it that is on disk, and `shown` what a
 * scrape may render: never more than is committed.
 *
 * The data of a counter is `[value]`; that of a histogram is `[sum, count of bucket 0, 1, …, +Inf]`, not cumulative.
 */
export interface Series {
  readonly definition: MetricDefinition
  readonly labels: readonly string[]
  readonly data: Float64Array
  /** What is shown until it has been scraped and the hold has passed; `undefined` once the series shows its data. */
  base: Float64Array | undefined
  /** True once a scrape has been answered with the base. */
  baseSeen: boolean
  /** Values of the last commit; `undefined` before the first. */
  committed: Float64Array | undefined
  /** The committed values or the base; `undefined` before the first commit and while hidden. */
  shown: Float64Array | undefined
  hidden: boolean
  /** When counting began, in milliseconds since 1970: the start time of its cumulative points. */
  readonly bornMs: number
  dirty: boolean
  /** The revision of the ledger since which it shows what it shows; 0: since before the start. */
  revision: number
}

/** A series at zero that is neither committed nor shown. */
export function newSeries(definition: MetricDefinition, labels: readonly string[], bornMs: number): Series {
  const size = definition.kind === 'counter' ? 1 : (definition.buckets?.length ?? 0) + 2
  return {
    definition,
    labels,
    data: new Float64Array(size),
    base: undefined,
    baseSeen: false,
    committed: undefined,
    shown: undefined,
    hidden: false,
    bornMs,
    dirty: false,
    revision: 0,
  }
}

/** Call it once the data is on disk: the series may then show it. Returns whether it shows something else than before. */
export function noteCommitted(series: Series): boolean {
  const before = series.shown
  const next = series.base ?? series.data
  const changed = before === undefined || next.some((value, i) => value !== before[i])
  if (series.committed === undefined) series.committed = series.data.slice()
  else series.committed.set(series.data)
  series.shown = series.hidden ? undefined : (series.base ?? series.committed)
  return changed
}
