import { CATALOGUE, type MetricDefinition } from '../metrics/catalogue.ts'
import type { Context } from '../metrics/contexts.ts'
import type { Ledger, Series } from '../metrics/ledger.ts'
import { seriesText, type DayOfSamples, type SampledFamily } from './open-metrics.ts'

export interface SamplerDeps {
  readonly ledger: Ledger
  readonly contexts: () => Iterable<Readonly<Context>>
  readonly buildsInProgress: () => number
  readonly lastEntryMs: () => number | undefined
  /** Labels that Prometheus adds to scraped series: job and instance. */
  readonly targetLabels: readonly (readonly [string, string])[]
  readonly stepMs: number
  /** Called with each complete day. */
  readonly onDay: (day: DayOfSamples) => void
}

export interface Sampler {
  /** Records the value of every series at this tick: a multiple of the step, one step after the previous tick. */
  take(tickMs: number): void
  /** Adds a zero at the last tick for series that appeared after it, and passes on the last day. */
  finish(): void
}

const DAY_MS = 86_400_000

interface Day {
  readonly firstTickMs: number
  readonly ticks: number
  readonly families: Map<string, { family: Omit<SampledFamily, 'series'>; rows: Map<string, Float64Array> }>
}

/**
 * Turns the running totals into samples on a grid. Every series has a sample at every tick after its first, so
 * that Prometheus never treats it as stale, and a zero one tick before its first value, so that `increase()` includes
 * the first increment.
 */
export function createSampler(deps: SamplerDeps): Sampler {
  const { stepMs } = deps
  const known = new Map<Series, { name: string; texts: readonly string[] }>()
  let current: Day | undefined
  let previous: Day | undefined
  let lastTickMs: number | undefined

  function dayOf(tickMs: number): Day {
    const start = Math.floor(tickMs / DAY_MS) * DAY_MS
    if (current !== undefined && tickMs < current.firstTickMs + current.ticks * stepMs) return current
    previous = current
    const firstTickMs = Math.ceil(start / stepMs) * stepMs
    const ticks = Math.ceil((start + DAY_MS - firstTickMs) / stepMs)
    current = { firstTickMs, ticks, families: new Map() }
    return current
  }

  function put(
    day: Day,
    family: Omit<SampledFamily, 'series'>,
    text: string,
    tickMs: number,
    value: number,
  ): void {
    let found = day.families.get(family.name)
    if (found === undefined) {
      found = { family, rows: new Map() }
      day.families.set(family.name, found)
    }
    let row = found.rows.get(text)
    if (row === undefined) {
      row = new Float64Array(day.ticks).fill(Number.NaN)
      found.rows.set(text, row)
    }
    row[Math.round((tickMs - day.firstTickMs) / stepMs)] = value
  }

  const textsOf = (series: Series): { name: string; texts: readonly string[] } => {
    const name = series.definition.name.replaceAll('.', '_')
    const labels: [string, string][] = series.definition.labels.map((label, i) => [
      label,
      series.labels[i] ?? '',
    ])
    const all = [...labels, ...deps.targetLabels]
    if (series.definition.kind === 'counter') return { name, texts: [seriesText(`${name}_total`, all)] }
    const bounds = [...(series.definition.buckets ?? []).map(String), '+Inf']
    return {
      name,
      texts: [
        ...bounds.map((bound) => seriesText(`${name}_bucket`, [...all, ['le', bound]])),
        seriesText(`${name}_count`, all),
        seriesText(`${name}_sum`, all),
      ],
    }
  }

  function putSeries(day: Day, series: Series, tickMs: number, data: Float64Array | undefined): void {
    const { name, texts } = known.get(series) as { name: string; texts: readonly string[] }
    const family = familyOf(series.definition, name)
    if (series.definition.kind === 'counter') {
      put(day, family, texts[0] as string, tickMs, data?.[0] ?? 0)
      return
    }
    const buckets = texts.length - 2
    let count = 0
    for (let i = 0; i < buckets; i++) {
      count += data?.[i + 1] ?? 0
      put(day, family, texts[i] as string, tickMs, count)
    }
    put(day, family, texts[buckets] as string, tickMs, count)
    put(day, family, texts[buckets + 1] as string, tickMs, data?.[0] ?? 0)
  }

  /** Adds a zero at the previous tick, which may be in the previous day. */
  function addZero(series: Series): void {
    known.set(series, textsOf(series))
    if (lastTickMs === undefined) return
    const day = current !== undefined && lastTickMs >= current.firstTickMs ? current : previous
    if (day !== undefined) putSeries(day, series, lastTickMs, undefined)
  }

  function gauges(day: Day, tickMs: number): void {
    const gauge = (name: string, help: string, labels: [string, string][], value: number): void =>
      put(
        day,
        { name, type: 'gauge', help },
        seriesText(name, [...labels, ...deps.targetLabels]),
        tickMs,
        value,
      )
    gauge('audit_builds_in_progress', 'Builds that have not closed.', [], deps.buildsInProgress())
    for (const context of deps.contexts()) {
      if (context.hidden) continue
      gauge(
        'audit_context_info',
        'One for each GEMINI.md revision: its full SHA-256 and its number by first sight.',
        [
          ['context_hash', context.hash],
          ['context_file_hash', context.fullHash],
          ['version', `v${context.version}`],
        ],
        1,
      )
      gauge(
        'audit_context_first_seen_timestamp_seconds',
        'Time of the earliest entry under a GEMINI.md revision.',
        [['context_hash', context.hash]],
        context.firstSeenMs / 1000,
      )
    }
    const lastEntryMs = deps.lastEntryMs()
    if (lastEntryMs !== undefined) {
      gauge('audit_last_entry_timestamp_seconds', 'Time of the latest entry.', [], lastEntryMs / 1000)
    }
  }

  function passOn(day: Day | undefined): void {
    if (day === undefined) return
    deps.onDay({
      firstTickMs: day.firstTickMs,
      stepMs,
      families: [...day.families.values()].map(({ family, rows }) => ({
        ...family,
        series: [...rows].map(([text, values]) => ({ text, values })),
      })),
    })
  }

  return {
    take(tickMs) {
      const day = dayOf(tickMs)
      for (const series of audited(deps.ledger)) {
        if (!known.has(series)) addZero(series)
        putSeries(day, series, tickMs, series.data)
      }
      gauges(day, tickMs)
      lastTickMs = tickMs
      passOn(previous)
      previous = undefined
    },
    finish() {
      for (const series of audited(deps.ledger)) if (!known.has(series)) addZero(series)
      passOn(current)
      current = undefined
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

const familyOf = (definition: MetricDefinition, name: string): Omit<SampledFamily, 'series'> => ({
  name,
  type: definition.kind,
  help: definition.help,
})
