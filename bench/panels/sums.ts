import { CATALOGUE, type MetricKey, prometheusName, SUMS } from '../../src/metrics/catalogue.ts'
import { keptName, LIVED } from '../../src/metrics/lives.ts'
import type { Series } from './series.ts'

const KEYS = new Map(
  (Object.keys(CATALOGUE) as MetricKey[]).map((key) => [prometheusName(CATALOGUE[key]), key] as const),
)
/** There are few of these, so they are thinned less. */
const SUM_SECONDS = 60

const nameOf = ({ Labels }: Series): string => Labels['__name__'] ?? ''

/** The series, and the sums that the exporter counts beside them: they grow as long as any of what they add up. */
export function* withSums(all: Iterable<Series>): Iterable<Series> {
  const sums = new Map<string, Series>()
  for (const series of all) {
    yield series
    const key = KEYS.get(nameOf(series))
    for (const sum of (key !== undefined && SUMS[key]) || []) {
      const kept = new Set<string>(['job', 'instance', ...CATALOGUE[sum].labels])
      const labels = Object.fromEntries(Object.entries(series.Labels).filter(([label]) => kept.has(label)))
      const id = JSON.stringify([sum, labels])
      const before = sums.get(id)
      sums.set(id, {
        ...series,
        Labels: { __name__: prometheusName(CATALOGUE[sum]), ...labels },
        Every: SUM_SECONDS,
        From: Math.min(before?.From ?? Infinity, series.From),
        GrowFrom: Math.min(before?.GrowFrom ?? Infinity, series.GrowFrom),
        GrowTo: Math.max(before?.GrowTo ?? 0, series.GrowTo),
        Value: (before?.Value ?? 0) + series.Value,
      })
    }
  }
  yield* sums.values()
}

/** The series, and what the rules of prometheus/rules/lives.yml record of those that are counters about builds. */
export function* withLives(all: Iterable<Series>): Iterable<Series> {
  for (const series of all) {
    yield series
    const name = nameOf(series)
    if (!LIVED.has(name)) continue
    yield { ...series, Labels: { ...series.Labels, __name__: keptName(name) }, Kept: true }
  }
}
