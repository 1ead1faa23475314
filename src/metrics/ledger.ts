import type { Durable, Reader } from '../state/durable.ts'
import { CATALOGUE, type MetricKey } from './catalogue.ts'
import { checkBounds, readSeries, writeSeries, type IsHidden } from './series-table.ts'
import { newSeries, noteCommitted, type Series } from './series.ts'

export type { Series } from './series.ts'

export interface Ledger extends Durable {
  /** Returns the series of a metric with these label values, in the order of the catalogue. Creates it if it is new. */
  series(metric: MetricKey, labels: readonly string[]): Series
  add(series: Series, amount: number): void
  /** Adds one observation to a histogram. */
  observe(series: Series, value: number): void
  /** The number of commits since the start that changed what a series shows. */
  readonly revision: number
  /** All series, including those that are not shown. */
  all(): Iterable<Series>
  /** The base has been scraped for long enough: shows the data of the series from the next commit on. */
  release(series: Series): void
  /** Records that a scrape has been answered with the base of the series. */
  baseSeen(series: Series): void
  /** The series that show their base. */
  held(): ReadonlySet<Series>
  /** Removes the series with this label value from the scrape. Their totals are kept. */
  hide(label: string, value: string): void
  /** Returns hidden series to the scrape, first with the values that were last shown, then with what was added since. */
  unhide(label: string, value: string): void
  /** From now on a new series starts at zero. Before, it is part of the baseline. */
  endBaseline(): void
}

export interface LedgerOptions {
  /** True once the first pass of the very first start has ended: new series then start at zero. */
  readonly baselineEnded: boolean
  /** True if a stored series is not on the scrape. */
  readonly isHidden: IsHidden
  /** The birth of a series that is new now, in milliseconds since 1970. */
  readonly nowMs: () => number
}

const METRICS = Object.keys(CATALOGUE) as MetricKey[]

/** Keeps every exact series: counts in memory, writes changes to the state, and shows only what is committed. */
export function createLedger(state: Reader, options: LedgerOptions): Ledger {
  const byMetric = new Map<MetricKey, Map<string, Series>>(METRICS.map((key) => [key, new Map()]))
  const held = new Set<Series>()
  let dirty: Series[] = []
  let revision = 0
  let baselineEnded = options.baselineEnded

  const touch = (series: Series): void => {
    if (series.dirty) return
    series.dirty = true
    dirty.push(series)
  }
  const bounds = checkBounds(state)
  for (const [key, series] of readSeries(state, options.isHidden)) {
    if (series.base !== undefined) held.add(series)
    byMetric.get(key)?.set(series.labels.join('\0'), series)
  }

  return {
    get revision() {
      return revision
    },
    series(metric, labels) {
      const known = byMetric.get(metric) as Map<string, Series>
      const id = labels.join('\0')
      const found = known.get(id)
      if (found !== undefined) return found
      const series = newSeries(CATALOGUE[metric], labels, options.nowMs())
      if (baselineEnded) {
        series.base = new Float64Array(series.data.length)
        held.add(series)
      }
      known.set(id, series)
      touch(series)
      return series
    },
    add(series, amount) {
      series.data[0] = (series.data[0] as number) + amount
      touch(series)
    },
    observe(series, value) {
      addObservation(series, value)
      touch(series)
    },
    *all() {
      for (const known of byMetric.values()) yield* known.values()
    },
    held: () => held,
    baseSeen(series) {
      if (series.baseSeen) return
      series.baseSeen = true
      touch(series)
    },
    release(series) {
      series.base = undefined
      held.delete(series)
      touch(series)
    },
    hide(label, value) {
      for (const series of withLabel(byMetric, label, value)) {
        // It must return with the value that it shows now. During the baseline nothing has been shown yet.
        if (baselineEnded) series.base ??= (series.shown ?? series.data).slice()
        series.baseSeen = false
        series.hidden = true
        held.delete(series)
        touch(series)
      }
    },
    unhide(label, value) {
      for (const series of withLabel(byMetric, label, value)) {
        series.hidden = false
        if (series.base !== undefined) held.add(series)
        touch(series)
      }
    },
    endBaseline() {
      baselineEnded = true
      for (const known of byMetric.values()) {
        for (const series of known.values()) {
          if (!series.hidden) continue
          series.base ??= series.data.slice()
          touch(series)
        }
      }
    },
    write(transaction) {
      bounds.write(transaction)
      for (const series of dirty) writeSeries(transaction, series)
    },
    committed() {
      bounds.committed()
      const changed = dirty.filter((series) => noteCommitted(series))
      if (changed.length > 0) revision++
      for (const series of changed) series.revision = revision
      for (const series of dirty) series.dirty = false
      dirty = []
    },
  }
}

type ByMetric = ReadonlyMap<MetricKey, ReadonlyMap<string, Series>>

function* withLabel(byMetric: ByMetric, label: string, value: string): Iterable<Series> {
  for (const [key, known] of byMetric) {
    const at = CATALOGUE[key].labels.indexOf(label)
    if (at < 0) continue
    for (const series of known.values()) if (series.labels[at] === value) yield series
  }
}

/** Adds a value to the sum of a histogram, and one to the first bucket whose bound is not below it. */
function addObservation({ data, definition }: Series, value: number): void {
  const bounds = definition.buckets as readonly number[]
  let bucket = 0
  while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
  data[0] = (data[0] as number) + value
  data[bucket + 1] = (data[bucket + 1] as number) + 1
}
