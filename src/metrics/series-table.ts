import type { Durable, Reader, Transaction } from '../state/durable.ts'
import { CATALOGUE, type MetricDefinition, type MetricKey } from './catalogue.ts'
import { newSeries, noteCommitted, type ReaderKind, type Series, type View } from './series.ts'
import { decodeData, decodeLabels, encodeData, encodeLabels } from './series-row.ts'

/** True if a series is not on the scrape. */
export type IsHidden = (definition: MetricDefinition, labels: readonly string[]) => boolean

const METRICS = Object.keys(CATALOGUE) as MetricKey[]

/** All series in the state, with the key of their metric and views for these kinds of readers. */
export function* readSeries(
  state: Reader,
  isHidden: IsHidden,
  readers: readonly ReaderKind[],
): Iterable<[MetricKey, Series]> {
  const keys = new Map<string, MetricKey>(METRICS.map((key) => [CATALOGUE[key].name, key]))
  for (const row of state.all(
    'SELECT metric, labels, data, base, base_seen, push_base, born_ms FROM series',
  )) {
    const key = keys.get(String(row['metric']))
    // The row of a metric that this version no longer has is kept for a downgrade.
    if (key === undefined) continue
    const definition: MetricDefinition = CATALOGUE[key]
    const labels = decodeLabels(definition, String(row['labels']))
    const series = newSeries(definition, labels, Number(row['born_ms']), readers)
    decodeData(definition, String(row['data']), series.data)
    const { scrape, push } = series.views
    if (scrape !== undefined) {
      scrape.base = decodeBase(series, textOf(row['base']))
      scrape.baseSeen = row['base_seen'] === 1
    }
    if (push !== undefined) push.base = decodeBase(series, textOf(row['push_base']))
    series.hidden = isHidden(definition, labels)
    noteCommitted(series)
    yield [key, series]
  }
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)

function decodeBase({ definition, data }: Series, text: string | null): Float64Array | undefined {
  if (text === null) return undefined
  const base = new Float64Array(data.length)
  decodeData(definition, text, base)
  return base
}

export function writeSeries(transaction: Transaction, series: Series): void {
  const { definition } = series
  const { scrape, push } = series.views
  const encodeBase = (view: View | undefined): string | null =>
    view?.base === undefined ? null : encodeData(definition, view.base)
  const labels = encodeLabels(definition, series.labels)
  transaction.run(
    `INSERT INTO series (metric, labels, data, base, base_seen, born_ms) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (metric, labels) DO UPDATE SET data = excluded.data, base = excluded.base, base_seen = excluded.base_seen`,
    definition.name,
    labels,
    encodeData(definition, series.data),
    encodeBase(scrape),
    scrape?.baseSeen === true ? 1 : 0,
    series.bornMs,
  )
  // Without pushes it stays as the last process that pushed left it.
  if (push !== undefined) {
    transaction.run(
      'UPDATE series SET push_base = ? WHERE metric = ? AND labels = ?',
      encodeBase(push),
      definition.name,
      labels,
    )
  }
}

/**
 * Throws if the state has histograms with other bounds than the catalogue: counts cannot be moved to other bounds.
 * Writes the bounds of histograms that are new.
 */
export function checkBounds(state: Reader): Durable {
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
