import type { MetricDefinition } from './catalogue.ts'

/** How metrics leave the exporter: in responses to scrapes, or in exports that are pushed. */
export type ReaderKind = 'scrape' | 'push'

/**
 * What readers of one kind may see of a series: never more than is committed. Each kind has its own view, because one
 * reader's having received a base says nothing about another, and one that is away must not hold back the others.
 */
export interface View {
  /** What is shown until a reader has received it and the hold has passed; `undefined` once the series shows its data. */
  base: Float64Array | undefined
  /** True once a reader has received the base. */
  baseSeen: boolean
  /** The committed values or the base; `undefined` before the first commit and while hidden. */
  shown: Float64Array | undefined
  /** The revision of the ledger since which it shows what it shows; 0: since before the start. */
  revision: number
}

type Views = Readonly<Partial<Record<ReaderKind, View>>>

/**
 * One time series. `data` is what has been counted, and `committed` the part of it that is on disk.
 *
 * The data of a counter is `[value]`; that of a histogram is `[sum, count of bucket 0, 1, …, +Inf]`, not cumulative.
 */
export interface Series {
  readonly definition: MetricDefinition
  readonly labels: readonly string[]
  readonly data: Float64Array
  /** Values of the last commit; `undefined` before the first. */
  committed: Float64Array | undefined
  /** By kind of reader; a kind that is not in use has none. */
  readonly views: Views
  hidden: boolean
  /** Series of other metrics that add up this one with others; `undefined` until the first addition. */
  sums: readonly Series[] | undefined
  /** When counting began, in milliseconds since 1970: the start time of its cumulative points. */
  readonly bornMs: number
  dirty: boolean
}

/** A series at zero that is neither committed nor shown, for these kinds of readers. */
export function newSeries(
  definition: MetricDefinition,
  labels: readonly string[],
  bornMs: number,
  readers: readonly ReaderKind[],
): Series {
  const size = definition.kind === 'counter' ? 1 : (definition.buckets?.length ?? 0) + 2
  return {
    definition,
    labels,
    data: new Float64Array(size),
    committed: undefined,
    views: Object.fromEntries(readers.map((reader) => [reader, newView()])),
    hidden: false,
    sums: undefined,
    bornMs,
    dirty: false,
  }
}

const newView = (): View => ({ base: undefined, baseSeen: false, shown: undefined, revision: 0 })

/** Call it once the data is on disk: the series may then show it. Returns the views that show something else than before. */
export function noteCommitted(series: Series): View[] {
  const { data, hidden, views } = series
  // The views share `committed`, so what changes is decided before it changes.
  const changed = Object.values(views).filter(({ base, shown }) => !equal(base ?? data, shown))
  if (series.committed === undefined) series.committed = data.slice()
  else series.committed.set(data)
  for (const view of Object.values(views)) view.shown = hidden ? undefined : (view.base ?? series.committed)
  return changed
}

const equal = (values: Float64Array, others: Float64Array | undefined): boolean =>
  others !== undefined && values.every((value, i) => value === others[i])
