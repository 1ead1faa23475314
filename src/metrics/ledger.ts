import type { Durable, Reader, Transaction } from '../state/durable.ts'
import { CATALOGUE, type MetricDefinition, type MetricKey } from './catalogue.ts'
import { decodeData, decodeLabels, encodeData, encodeLabels } from './series-row.ts'

/**
 * One time series. `data` is what has been counted, `committed` as much of it as is on disk, `shown` what a
 * scrape may render: never more than that.
 *
 * A counter's data is `[value]`; a histogram's is `[sum, count of bucket 0, 1, …, +Inf]`, each bucket alone.
 */
export interface Series {
  readonly definition: MetricDefinition
  readonly labels: readonly string[]
  readonly data: Float64Array
  /** What is shown while the series waits to be seen at its start; `undefined` once it shows its data. */
  base: Float64Array | undefined
  /** Whether a scrape has been answered with the base. */
  baseSeen: boolean
  /** Values of the last commit; `undefined` before the first. */
  committed: Float64Array | undefined
  /** These, or the base; `undefined` before the first commit and while hidden. */
  shown: Float64Array | undefined
  hidden: boolean
  dirty: boolean
}

export interface Ledger extends Durable {
  /** The series of a metric with these label values, in the order that the catalogue declares; made on demand. */
  series(metric: MetricKey, labels: readonly string[]): Series
  add(series: Series, amount: number): void
  /** One observation of a histogram. */
  observe(series: Series, value: number): void
  /** All series, those not shown among them. */
  all(): Iterable<Series>
  /** Lets a series show its data from the next commit on: it has been seen at its start. */
  release(series: Series): void
  /** Notes that a scrape has been answered with the series' base. */
  baseSeen(series: Series): void
  /** Series that wait to be seen at their start. */
  held(): ReadonlySet<Series>
  /** Takes the series with this label value off the scrape; their totals stay. */
  hide(label: string, value: string): void
  /** Brings hidden series back: first as they were last shown, then with what is added since. */
  unhide(label: string, value: string): void
  /** From now on a new series starts at zero; before, it is part of the baseline. */
  endBaseline(): void
}

export interface LedgerOptions {
  /** Whether the first pass of the very first start has ended: new series start at zero. */
  readonly baselineEnded: boolean
  /** Whether a stored series is off the scrape. */
  readonly isHidden: (definition: MetricDefinition, labels: readonly string[]) => boolean
}

const METRICS = Object.keys(CATALOGUE) as MetricKey[]

/** Keeps every exact series: counts in memory, writes what changed, shows only what is committed. */
export function createLedger(state: Reader, options: LedgerOptions): Ledger {
  const byMetric = new Map<MetricKey, Map<string, Series>>(METRICS.map((key) => [key, new Map()]))
  const held = new Set<Series>()
  let dirty: Series[] = []
  let baselineEnded = options.baselineEnded

  const touch = (series: Series): void => {
    if (series.dirty) return
    series.dirty = true
    dirty.push(series)
  }
  const bounds = checkBounds(state)
  load()

  function load(): void {
    const keys = new Map<string, MetricKey>(METRICS.map((key) => [CATALOGUE[key].name, key]))
    for (const row of state.all('SELECT metric, labels, data, base, base_seen FROM series')) {
      const key = keys.get(String(row['metric']))
      // A metric that a later version has dropped keeps its row, should the user go back.
      if (key === undefined) continue
      const labels = decodeLabels(CATALOGUE[key], String(row['labels']))
      const series = newSeries(CATALOGUE[key], labels)
      decodeData(series.definition, String(row['data']), series.data)
      if (row['base'] !== null) {
        series.base = new Float64Array(series.data.length)
        decodeData(series.definition, String(row['base']), series.base)
        held.add(series)
      }
      series.baseSeen = row['base_seen'] === 1
      series.hidden = options.isHidden(series.definition, labels)
      noteCommitted(series)
      byMetric.get(key)?.set(labels.join('\0'), series)
    }
  }

  const withLabel = function* (label: string, value: string): Iterable<Series> {
    for (const key of METRICS) {
      const at = CATALOGUE[key].labels.indexOf(label)
      if (at < 0) continue
      for (const series of byMetric.get(key)?.values() ?? []) if (series.labels[at] === value) yield series
    }
  }

  return {
    series(metric, labels) {
      const known = byMetric.get(metric) as Map<string, Series>
      const id = labels.join('\0')
      const found = known.get(id)
      if (found !== undefined) return found
      const series = newSeries(CATALOGUE[metric], labels)
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
      const bounds = series.definition.buckets as readonly number[]
      let bucket = 0
      while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++
      series.data[0] = (series.data[0] as number) + value
      series.data[bucket + 1] = (series.data[bucket + 1] as number) + 1
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
      for (const series of withLabel(label, value)) {
        // What it shows now is what it must come back with; in the baseline nothing has been shown yet.
        if (baselineEnded) series.base ??= (series.shown ?? series.data).slice()
        series.baseSeen = false
        series.hidden = true
        held.delete(series)
        touch(series)
      }
    },
    unhide(label, value) {
      for (const series of withLabel(label, value)) {
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
      for (const series of dirty) {
        series.dirty = false
        noteCommitted(series)
      }
      dirty = []
    },
  }
}

/**
 * Counts cannot be moved to other bounds: refuses a state whose histograms have others than the catalogue. Notes the
 * bounds of histograms that the state does not know yet.
 */
function checkBounds(state: Reader): Durable {
  const stored = new Map(
    state.all('SELECT metric, bounds FROM histograms').map((row) => [row['metric'], String(row['bounds'])]),
  )
  let missing: [string, string][] = []
  for (const { name, buckets } of Object.values(CATALOGUE as Record<string, MetricDefinition>)) {
    if (buckets === undefined) continue
    const bounds = JSON.stringify(buckets)
    const found = stored.get(name)
    if (found === undefined) missing.push([name, bounds])
    else if (found !== bounds) {
      throw new Error(
        `Failed to read the state: the buckets of ${name} were ${found} and are ${bounds} in this version. ` +
          'Run the previous version again, or set --state to another directory.',
      )
    }
  }
  return {
    write(transaction) {
      for (const row of missing) {
        transaction.run('INSERT OR REPLACE INTO histograms (metric, bounds) VALUES (?, ?)', ...row)
      }
    },
    committed() {
      missing = []
    },
  }
}

function newSeries(definition: MetricDefinition, labels: readonly string[]): Series {
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
    dirty: false,
  }
}

/** What is on disk now is what the series holds and may show. */
function noteCommitted(series: Series): void {
  if (series.committed === undefined) series.committed = series.data.slice()
  else series.committed.set(series.data)
  series.shown = series.hidden ? undefined : (series.base ?? series.committed)
}

function writeSeries(transaction: Transaction, series: Series): void {
  const { definition } = series
  const data = encodeData(definition, series.data)
  const base = series.base === undefined ? null : encodeData(definition, series.base)
  const seen = series.baseSeen ? 1 : 0
  transaction.run(
    `INSERT INTO series (metric, labels, data, base, base_seen) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (metric, labels) DO UPDATE SET data = excluded.data, base = excluded.base, base_seen = excluded.base_seen`,
    definition.name,
    encodeLabels(definition, series.labels),
    data,
    base,
    seen,
  )
}
