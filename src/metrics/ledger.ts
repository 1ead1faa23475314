import type { Durable, Reader } from '../state/durable.ts'
import { CATALOGUE, type MetricDefinition, type MetricKey, SUMS } from './catalogue.ts'
import { checkBounds, readSeries, writeSeries, type IsHidden } from './series-table.ts'
import { newSeries, noteCommitted, type ReaderKind, type Series, type View } from './series.ts'

export type { Series } from './series.ts'

export interface Ledger extends Durable {
  /** Returns the series of a metric with these label values, in the order of the catalogue. Creates it if it is new. */
  series(metric: MetricKey, labels: readonly string[]): Series
  /** Adds to a counter and its sums. */
  add(series: Series, amount: number): void
  /** Adds one observation to a histogram. */
  observe(series: Series, value: number): void
  /** The number of commits since the start that changed what a series shows. */
  readonly revision: number
  /** All series, including those that are not shown. */
  all(): Iterable<Series>
  /** Readers have had the base for long enough: shows them the data of the series from the next commit on. */
  release(reader: ReaderKind, series: Series): void
  /** Records that a reader has received the base of the series. */
  baseSeen(reader: ReaderKind, series: Series): void
  /** The series that show their base to readers of this kind. */
  held(reader: ReaderKind): ReadonlySet<Series>
  /** Removes the series with this label value from the metrics. Their totals are kept. */
  hide(label: string, value: string): void
  /** Returns hidden series to the metrics, first with the values that were last shown, then with what was added since. */
  unhide(label: string, value: string): void
  /** From now on a new series starts at zero. Before, it is part of the baseline. */
  endBaseline(): void
}

export interface LedgerOptions {
  /** True once the first pass of the very first start has ended: new series then start at zero. */
  readonly baselineEnded: boolean
  /** The kinds of readers that there are. Default: scrapes alone. */
  readonly readers?: readonly ReaderKind[]
  /** True if a stored series is not among the metrics. */
  readonly isHidden: IsHidden
  /** The birth of a series that is new now, in milliseconds since 1970. */
  readonly nowMs: () => number
}

const METRICS = Object.keys(CATALOGUE) as MetricKey[]

/** Keeps every exact series: counts in memory, writes changes to the state, and shows only what is committed. */
export function createLedger(state: Reader, options: LedgerOptions): Ledger {
  const byMetric = new Map<MetricKey, Map<string, Series>>(METRICS.map((key) => [key, new Map()]))
  const { readers = ['scrape'] } = options
  const held: Record<ReaderKind, Set<Series>> = { scrape: new Set(), push: new Set() }
  let dirty: Series[] = []
  let revision = 0
  let baselineEnded = options.baselineEnded

  const touch = (series: Series): void => {
    if (series.dirty) return
    series.dirty = true
    dirty.push(series)
  }
  const hold = (series: Series): void => {
    for (const reader of readers) if (viewOf(reader, series).base !== undefined) held[reader].add(series)
  }
  const bounds = checkBounds(state)
  for (const [key, series] of readSeries(state, options.isHidden, readers)) {
    hold(series)
    byMetric.get(key)?.set(series.labels.join('\0'), series)
  }

  function seriesOf(metric: MetricKey, labels: readonly string[]): Series {
    const known = byMetric.get(metric) as Map<string, Series>
    const id = labels.join('\0')
    const found = known.get(id)
    if (found !== undefined) return found
    const series = newSeries(CATALOGUE[metric], labels, options.nowMs(), readers)
    if (baselineEnded) startAtZero(series)
    hold(series)
    known.set(id, series)
    touch(series)
    return series
  }

  function add(series: Series, amount: number): void {
    series.data[0] = (series.data[0] as number) + amount
    touch(series)
  }

  return {
    get revision() {
      return revision
    },
    series: seriesOf,
    add(series, amount) {
      add(series, amount)
      series.sums ??= sumsOf(series).map((sum) => seriesOf(...sum))
      for (const sum of series.sums) add(sum, amount)
    },
    observe(series, value) {
      addObservation(series, value)
      touch(series)
    },
    all: () => allOf(byMetric),
    held: (reader) => held[reader],
    baseSeen(reader, series) {
      viewOf(reader, series).baseSeen = true
      touch(series)
    },
    release(reader, series) {
      viewOf(reader, series).base = undefined
      held[reader].delete(series)
      touch(series)
    },
    hide(label, value) {
      for (const series of withLabel(byMetric, label, value)) {
        for (const reader of readers) {
          keepShown(viewOf(reader, series), series, baselineEnded)
          held[reader].delete(series)
        }
        series.hidden = true
        touch(series)
      }
    },
    unhide(label, value) {
      for (const series of withLabel(byMetric, label, value)) {
        series.hidden = false
        hold(series)
        touch(series)
      }
    },
    endBaseline() {
      baselineEnded = true
      for (const series of allOf(byMetric)) {
        if (!series.hidden) continue
        for (const view of Object.values(series.views)) view.base ??= series.data.slice()
        touch(series)
      }
    },
    write(transaction) {
      bounds.write(transaction)
      for (const series of dirty) writeSeries(transaction, series)
    },
    committed() {
      bounds.committed()
      const changed = dirty.flatMap((series) => noteCommitted(series))
      if (changed.length > 0) revision++
      for (const view of changed) view.revision = revision
      for (const series of dirty) series.dirty = false
      dirty = []
    },
  }
}

const SUMS_OF = new Map<MetricDefinition, readonly MetricKey[]>(
  METRICS.map((key) => [CATALOGUE[key], SUMS[key] ?? []]),
)

/** The metrics and label values of the sums of a series: its own values of the labels that a sum has. */
const sumsOf = ({ definition, labels }: Series): [MetricKey, string[]][] =>
  (SUMS_OF.get(definition) ?? []).map((sum) => [
    sum,
    CATALOGUE[sum].labels.map((label) => labels[definition.labels.indexOf(label)] as string),
  ])

type ByMetric = ReadonlyMap<MetricKey, ReadonlyMap<string, Series>>

function* allOf(byMetric: ByMetric): Iterable<Series> {
  for (const known of byMetric.values()) yield* known.values()
}

function* withLabel(byMetric: ByMetric, label: string, value: string): Iterable<Series> {
  for (const [key, known] of byMetric) {
    const at = CATALOGUE[key].labels.indexOf(label)
    if (at < 0) continue
    for (const series of known.values()) if (series.labels[at] === value) yield series
  }
}

function startAtZero({ data, views }: Series): void {
  for (const view of Object.values(views)) view.base = new Float64Array(data.length)
}

/** A hidden series must return with the value that it shows now. During the baseline nothing has been shown yet. */
function keepShown(view: View, { data }: Series, baselineEnded: boolean): void {
  if (baselineEnded) view.base ??= (view.shown ?? data).slice()
  view.baseSeen = false
}

const viewOf = (reader: ReaderKind, series: Series): View => series.views[reader] as View

/** Adds a value to the sum of a histogram, and one to the first bucket whose bound is not below it. */
function addObservation({ data, definition }: Series, value: number): void {
  const bounds = definition.buckets as readonly number[]
  let bucket = 0
  while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
  data[0] = (data[0] as number) + value
  data[bucket + 1] = (data[bucket + 1] as number) + 1
}
