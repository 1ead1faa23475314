import type { Attributes, HrTime } from '@opentelemetry/api'
import { emptyResource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  DataPointType,
  type CollectionResult,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics'
import { ValueType } from '@opentelemetry/api'
import type { Clock } from '../clock.ts'
import { CATALOGUE, OPTIONAL_LABELS, type MetricDefinition } from './catalogue.ts'
import { CONTEXT_INFO_HELP, contextInfo } from './context.ts'
import type { Contexts } from './contexts.ts'
import type { Ledger, Series } from './ledger.ts'
import type { ReaderKind } from './series.ts'

export interface ProducerDeps {
  /** The kind of readers whose views it renders. */
  readonly reader: ReaderKind
  readonly ledger: Ledger
  readonly contexts: Contexts
  readonly buildsInProgress: () => number
  readonly lastEntryMs: () => number | undefined
  readonly clock: Clock
  /** `none`: histograms have their sum and count, and one bucket for everything. */
  readonly histogramBuckets: HistogramBuckets
}

export type HistogramBuckets = 'all' | 'none'

/**
 * Passes the committed series to the OpenTelemetry SDK through its own extension point. Instruments do not fit:
 * they cannot start from a stored value, and cannot omit a series.
 */
export function createProducer(deps: ProducerDeps): MetricProducer {
  const { ledger, reader, contexts, clock } = deps
  const attributesOf = new WeakMap<Series, Attributes>()

  const values = (series: Series): Float64Array | undefined => series.views[reader]?.shown

  function attributes(series: Series): Attributes {
    const known = attributesOf.get(series)
    if (known !== undefined) return known
    const made: Attributes = {}
    for (const [i, label] of series.definition.labels.entries()) {
      const value = series.labels[i] ?? ''
      if (value !== '' || !OPTIONAL_LABELS.has(label)) made[label] = value
    }
    attributesOf.set(series, made)
    return made
  }

  function exactMetrics(time: HrTime): MetricData[] {
    const shown = new Map<MetricDefinition, Series[]>(Object.values(CATALOGUE).map((metric) => [metric, []]))
    for (const series of ledger.all()) {
      if (values(series) !== undefined) shown.get(series.definition)?.push(series)
    }
    return [...shown].map(([metric, series]) =>
      metric.kind === 'counter' ? counterData(metric, series, time) : histogramData(metric, series, time),
    )
  }

  function counterData(metric: MetricDefinition, all: readonly Series[], time: HrTime): MetricData {
    return {
      descriptor: descriptor(metric.name, metric.help),
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints: all.map((series) =>
        point(attributes(series), values(series)?.[0] ?? 0, time, birth(series, time)),
      ),
    }
  }

  function histogramData(metric: MetricDefinition, all: readonly Series[], time: HrTime): MetricData {
    const boundaries = deps.histogramBuckets === 'none' ? [] : [...(metric.buckets ?? [])]
    return {
      descriptor: descriptor(metric.name, metric.help),
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: all.map((series) => {
        const [sum = 0, ...counts] = values(series) ?? []
        const count = counts.reduce((a, b) => a + b, 0)
        return point(
          attributes(series),
          { buckets: { boundaries, counts: boundaries.length === 0 ? [count] : counts }, sum, count },
          time,
          birth(series, time),
        )
      }),
    }
  }

  const gauge = (name: string, help: string, points: [Attributes, number][], time: HrTime): MetricData => ({
    descriptor: descriptor(name, help),
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.GAUGE,
    dataPoints: points.map(([labels, value]) => point(labels, value, time, time)),
  })

  function gauges(time: HrTime): MetricData[] {
    const seen = contexts.shown()
    const lastEntryMs = deps.lastEntryMs()
    return [
      gauge('audit.builds_in_progress', 'Builds that are not closed.', [[{}, deps.buildsInProgress()]], time),
      gauge(
        'audit.context_info',
        CONTEXT_INFO_HELP,
        seen.flatMap((context) => contextInfo(context).map((labels): [Attributes, number] => [labels, 1])),
        time,
      ),
      gauge(
        'audit.context_first_seen_timestamp_seconds',
        'Time of the earliest entry under a GEMINI.md revision.',
        seen.map((c) => [{ context_hash: c.hash }, c.firstSeenMs / 1000]),
        time,
      ),
      gauge(
        'audit.last_entry_timestamp_seconds',
        'Time of the latest entry.',
        lastEntryMs === undefined ? [] : [[{}, lastEntryMs / 1000]],
        time,
      ),
    ]
  }

  return {
    collect(): Promise<CollectionResult> {
      const time = hrTime(clock.wallMs())
      const metrics = [...exactMetrics(time), ...gauges(time)]
      return Promise.resolve({
        resourceMetrics: { resource: emptyResource(), scopeMetrics: [{ scope: { name: 'audit' }, metrics }] },
        errors: [],
      })
    },
  }
}

const descriptor = (name: string, description: string) => ({
  name,
  description,
  unit: '',
  valueType: ValueType.DOUBLE,
})

const point = <T>(attributes: Attributes, value: T, endTime: HrTime, startTime: HrTime) => ({
  attributes,
  value,
  startTime,
  endTime,
})

/** The start time of a cumulative point; never after its end, also when the clock was set back. */
function birth({ bornMs }: Series, end: HrTime): HrTime {
  const start = hrTime(bornMs)
  return start[0] > end[0] || (start[0] === end[0] && start[1] > end[1]) ? end : start
}

/** Seconds and nanoseconds, as OpenTelemetry has it. */
const hrTime = (ms: number): HrTime => [Math.floor(ms / 1000), Math.round((ms % 1000) * 1e6)]
