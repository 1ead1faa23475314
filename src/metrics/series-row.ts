import type { MetricDefinition } from './catalogue.ts'

/**
 * How a series stands in the state: by names, so that a catalogue with another order of labels, or with a further one,
 * reads the same series. Labels: an object of those that are not empty, sorted by name.
 */
export function encodeLabels(definition: MetricDefinition, values: readonly string[]): string {
  const pairs = definition.labels.map((label, i) => [label, values[i] ?? ''] as const)
  return JSON.stringify(Object.fromEntries(pairs.filter(([, value]) => value !== '').sort(byName)))
}

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : 1)

/** Label values in the order of the catalogue, `''` for a label that the row lacks. Throws for an unknown label. */
export function decodeLabels(definition: MetricDefinition, text: string): string[] {
  const labels = JSON.parse(text) as Record<string, string>
  const unknown = Object.keys(labels).find((label) => !definition.labels.includes(label))
  if (unknown !== undefined)
    throw new Error(`Failed to read the state: ${definition.name} has no label ${unknown}`)
  return definition.labels.map((label) => labels[label] ?? '')
}

interface HistogramRow {
  readonly sum: number
  readonly buckets: Readonly<Record<string, number>>
}

const boundNames = (definition: MetricDefinition): string[] => [
  ...(definition.buckets ?? []).map(String),
  '+Inf',
]

/** A counter's value; a histogram's sum and the counts of its buckets, without empty ones, each bucket alone. */
export function encodeData(definition: MetricDefinition, data: Float64Array): string {
  if (definition.kind === 'counter') return JSON.stringify(data[0])
  const counts = boundNames(definition).map((bound, i) => [bound, data[i + 1] ?? 0] as const)
  return JSON.stringify({
    sum: data[0],
    buckets: Object.fromEntries(counts.filter(([, count]) => count !== 0)),
  } satisfies { sum: number | undefined; buckets: HistogramRow['buckets'] })
}

/** Fills `data` from a row. Throws if the row is of another kind, or has a bucket that the catalogue lacks. */
export function decodeData(definition: MetricDefinition, text: string, data: Float64Array): void {
  const row = JSON.parse(text) as number | HistogramRow
  if (definition.kind === 'counter') {
    if (typeof row !== 'number') throw otherKind(definition, text)
    data[0] = row
    return
  }
  if (typeof row !== 'object' || typeof row.sum !== 'number') throw otherKind(definition, text)
  data[0] = row.sum
  const bounds = boundNames(definition)
  for (const [bound, count] of Object.entries(row.buckets)) {
    const at = bounds.indexOf(bound)
    if (at < 0) throw new Error(`Failed to read the state: ${definition.name} has no bucket ${bound}`)
    data[at + 1] = count
  }
}

const otherKind = (definition: MetricDefinition, text: string): Error =>
  new Error(`Failed to read the state: ${definition.name} is a ${definition.kind}, not ${text}`)
