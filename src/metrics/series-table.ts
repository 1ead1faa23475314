import type { Durable, Reader, Transaction } from '../state/durable.ts'
import { CATALOGUE, type MetricDefinition, type MetricKey } from './catalogue.ts'
import { newSeries, noteCommitted, type Series } from './series.ts'
import { decodeData, decodeLabels, encodeData, encodeLabels } from './series-row.ts'

/** True if a series is not on the scrape. */
export type IsHidden = (definition: MetricDefinition, labels: readonly string[]) => boolean

const METRICS = Object.keys(CATALOGUE) as MetricKey[]

/** All series in the state, with the key of their metric. */
export function* readSeries(state: Reader, isHidden: IsHidden): Iterable<[MetricKey, Series]> {
  const keys = new Map<string, MetricKey>(METRICS.map((key) => [CATALOGUE[key].name, key]))
  for (const row of state.all('SELECT metric, labels, data, base, base_seen, born_ms FROM series')) {
    const key = keys.get(String(row['metric']))
    // The row of a metric that this version no longer has is kept for a downgrade.
    if (key === undefined) continue
    const definition: MetricDefinition = CATALOGUE[key]
    const labels = decodeLabels(definition, String(row['labels']))
    const series = newSeries(definition, labels, Number(row['born_ms']))
    decodeData(definition, String(row['data']), series.data)
    if (row['base'] !== null) {
      series.base = new Float64Array(series.data.length)
      decodeData(definition, String(row['base']), series.base)
    }
    series.baseSeen = row['base_seen'] === 1
    series.hidden = isHidden(definition, labels)
    noteCommitted(series)
    yield [key, series]
  }
}

export function writeSeries(transaction: Transaction, series: Series): void {
  const { definition } = series
  const data = encodeData(definition, series.data)
  const base = series.base === undefined ? null : encodeData(definition, series.base)
  const seen = series.baseSeen ? 1 : 0
  transaction.run(
    `INSERT INTO series (metric, labels, data, base, base_seen, born_ms) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (metric, labels) DO UPDATE SET data = excluded.data, base = excluded.base, base_seen = excluded.base_seen`,
    definition.name,
    encodeLabels(definition, series.labels),
    data,
    base,
    seen,
    series.bornMs,
  )
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
