import { CATALOGUE, type MetricKey } from './catalogue.ts'
import type { Ledger, Series } from './ledger.ts'

export interface Total {
  readonly labels: string[]
  value: number
}

/**
 * Returns the committed totals of one counter, added up by the labels in `group`, including series that are held at
 * zero or hidden. Keys are the label values joined by a NUL.
 */
export function totalsOf(ledger: Ledger, metric: MetricKey, ...group: string[]): Map<string, Total> {
  const sums = new Map<string, Total>()
  for (const series of ledger.all()) {
    const { definition, committed } = series
    if (definition !== CATALOGUE[metric] || committed === undefined) continue
    const labels = group.map((label) => labelOf(series, label))
    const key = labels.join('\0')
    const sum = sums.get(key)
    if (sum === undefined) sums.set(key, { labels, value: committed[0] ?? 0 })
    else sum.value += committed[0] ?? 0
  }
  return sums
}

const labelOf = (series: Series, label: string): string =>
  series.labels[series.definition.labels.indexOf(label)] ?? ''
