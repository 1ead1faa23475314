import { CATALOGUE, type MetricDefinition } from '../metrics/catalogue.ts'
import { CONTEXT_INFO_HELP, contextInfo, type Context } from '../metrics/context.ts'
import type { Ledger, Series } from '../metrics/ledger.ts'
import { createDays, type Day, type FamilyHead } from './days.ts'
import { createLife, type Life } from './lives.ts'
import { seriesText, type DayOfSamples } from './open-metrics.ts'

export interface SamplerDeps {
  readonly ledger: Ledger
  readonly contexts: () => Iterable<Readonly<Context>>
  readonly buildsInProgress: () => number
  readonly lastEntryMs: () => number | undefined
  /** Labels that Prometheus adds to scraped series: job and instance. */
  readonly targetLabels: TargetLabels
  readonly stepMs: number
  /** Called with each complete day. */
  readonly onDay: (day: DayOfSamples) => void
}

type TargetLabels = readonly (readonly [string, string])[]

export interface Sampler {
  /** Records the value of every series at this tick: a multiple of the step, one step after the previous tick. */
  take(tickMs: number): void
  /**
   * Adds a zero at the last tick for series that appeared after it, and the last value of every counter as that of a
   * series that has ended; passes on the last day.
   */
  finish(): void
}

/**
 * Turns the running totals into samples on a grid. Every series has a sample at every tick after its first, so
 * that Prometheus never treats it as stale, and a zero one tick before its first value, so that `increase()` includes
 * the first increment.
 */
export function createSampler(deps: SamplerDeps): Sampler {
  const days = createDays(deps.stepMs, deps.onDay)
  const known = new Map<Series, SeriesTexts>()
  let lastTickMs: number | undefined

  /** The texts of a series. A new one gets a zero at the previous tick, which may be in the previous day. */
  function textsOfKnown(series: Series): SeriesTexts {
    const found = known.get(series)
    if (found !== undefined) return found
    const texts = textsOf(series, deps.targetLabels)
    known.set(series, texts)
    const day = lastTickMs === undefined ? undefined : days.find(lastTickMs)
    if (lastTickMs !== undefined && day !== undefined) putSeries(day, texts, lastTickMs, undefined)
    return texts
  }

  /** Records that the last tick was the last one of some series. */
  function endThose(haveEnded: (series: Series) => boolean): void {
    const day = lastTickMs === undefined ? undefined : days.find(lastTickMs)
    if (lastTickMs === undefined || day === undefined) return
    for (const [series, { lives }] of known)
      if (haveEnded(series)) for (const life of lives) life?.end(day, lastTickMs)
  }

  return {
    take(tickMs) {
      const day = days.at(tickMs)
      endThose(({ hidden }) => hidden)
      for (const series of audited(deps.ledger)) putSeries(day, textsOfKnown(series), tickMs, series.data)
      putGauges(day, tickMs, deps)
      lastTickMs = tickMs
      days.passOnPrevious()
    },
    finish() {
      for (const series of audited(deps.ledger)) textsOfKnown(series)
      endThose(() => true)
      days.passOnCurrent()
    },
  }
}

const HISTORY = new Set<MetricDefinition>(
  Object.values(CATALOGUE).filter(({ name }) => name.startsWith('audit.')),
)

/** Omits the exporter's own counters, which describe reading, not builds. */
function* audited(ledger: Ledger): Iterable<Series> {
  for (const series of ledger.all()) if (HISTORY.has(series.definition) && !series.hidden) yield series
}

/** Names and labels of the samples of one series: one for a counter; for a histogram its buckets, count and sum. */
interface SeriesTexts {
  readonly family: FamilyHead
  readonly texts: readonly string[]
  /** In the order of the texts. */
  readonly lives: readonly (Life | undefined)[]
}

function textsOf(series: Series, targetLabels: TargetLabels): SeriesTexts {
  const { name: dotted, kind: type, help, labels: names, buckets = [] } = series.definition
  const name = dotted.replaceAll('.', '_')
  const family = { name, type, help }
  const labels = [
    ...names.map((label, i): readonly [string, string] => [label, series.labels[i] ?? '']),
    ...targetLabels,
  ]
  const bounds = [...buckets.map(String), '+Inf']
  const members: readonly (readonly [name: string, labels: TargetLabels])[] =
    type === 'counter'
      ? [[`${name}_total`, labels]]
      : [
          ...bounds.map((bound) => [`${name}_bucket`, [...labels, ['le', bound]]] as const),
          [`${name}_count`, labels],
          [`${name}_sum`, labels],
        ]
  return {
    family,
    texts: members.map((member) => seriesText(...member)),
    lives: members.map((member) => createLife(...member)),
  }
}

/** `data` is that of the ledger: a counter's value, or a histogram's sum and its counts by bucket; absent: zero. */
function putSeries(
  day: Day,
  { family, texts, lives }: SeriesTexts,
  tickMs: number,
  data: Float64Array | undefined,
): void {
  const put = (i: number, value: number): void => {
    day.put(family, texts[i] as string, tickMs, value)
    lives[i]?.value(day, tickMs, value)
  }
  if (family.type === 'counter') {
    put(0, data?.[0] ?? 0)
    return
  }
  const buckets = texts.length - 2
  let count = 0
  for (let i = 0; i < buckets; i++) {
    count += data?.[i + 1] ?? 0
    put(i, count)
  }
  put(buckets, count)
  put(buckets + 1, data?.[0] ?? 0)
}

function putGauges(day: Day, tickMs: number, deps: SamplerDeps): void {
  const put = (name: string, help: string, labels: TargetLabels, value: number): void =>
    day.put({ name, type: 'gauge', help }, seriesText(name, [...labels, ...deps.targetLabels]), tickMs, value)
  put('audit_builds_in_progress', 'Builds that are not closed.', [], deps.buildsInProgress())
  for (const context of deps.contexts()) {
    if (context.hidden) continue
    for (const labels of contextInfo(context))
      put('audit_context_info', CONTEXT_INFO_HELP, Object.entries(labels), 1)
    put(
      'audit_context_first_seen_timestamp_seconds',
      'Time of the earliest entry under a GEMINI.md revision.',
      [['context_hash', context.hash]],
      context.firstSeenMs / 1000,
    )
  }
  const lastEntryMs = deps.lastEntryMs()
  if (lastEntryMs !== undefined)
    put('audit_last_entry_timestamp_seconds', 'Time of the latest entry.', [], lastEntryMs / 1000)
}
