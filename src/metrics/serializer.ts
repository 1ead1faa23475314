import type { Attributes } from '@opentelemetry/api'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { emptyResource } from '@opentelemetry/resources'
import { DataPointType, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics'

export interface Serializer {
  serialize(metrics: ResourceMetrics): string
}

/**
 * Renders metrics in the Prometheus text format, without timestamps and without labels or series of the SDK itself.
 *
 * OpenTelemetry's serializer makes the names and labels of each line, once for each object of attributes: those of a
 * series stay the same object. What changes from scrape to scrape are the values behind them (decisions/210).
 */
export function createSerializer(): Serializer {
  const serializer = createLibrarySerializer()
  const known = new Map<string, Family>()
  const textOf = (metric: MetricData): string =>
    serializer.serialize({
      resource: emptyResource(),
      scopeMetrics: [{ scope: { name: 'audit' }, metrics: [metric] }],
    })

  function familyOf(metric: MetricData): Family {
    const { name } = metric.descriptor
    let family = known.get(name)
    if (family === undefined) {
      family = { head: textOf({ ...metric, dataPoints: [] }), starts: new WeakMap() }
      known.set(name, family)
    }
    learn(family, metric, textOf)
    return family
  }

  return {
    serialize({ scopeMetrics }) {
      const parts: string[] = []
      for (const { metrics } of scopeMetrics) {
        for (const metric of metrics) {
          const { head, starts } = familyOf(metric)
          parts.push(head)
          for (const { attributes, value } of metric.dataPoints) {
            const lines = starts.get(attributes) as readonly string[]
            if (typeof value === 'number') parts.push(lines[0] as string, valueText(value))
            else {
              const values = histogramValues(value as Histogram)
              for (const [i, start] of lines.entries()) parts.push(start, valueText(values[i] as number))
            }
          }
        }
      }
      return parts.join('')
    },
  }
}

/** A metric: its comments, and by the attributes of each point what stands before the values on its lines. */
interface Family {
  readonly head: string
  readonly starts: WeakMap<Attributes, readonly string[]>
}

/** Finds out what stands before the values of points that are new. */
function learn({ head, starts }: Family, metric: MetricData, textOf: (metric: MetricData) => string): void {
  // The compiler does not know that each kind of metric has points of one kind.
  const points = metric.dataPoints as { attributes: Attributes; value: unknown }[]
  const fresh = points.filter(({ attributes }) => !starts.has(attributes))
  if (fresh.length === 0) return
  const lines = textOf({ ...metric, dataPoints: fresh } as MetricData)
    .slice(head.length)
    .split('\n')
    .slice(0, -1)
    .map((line) => line.slice(0, line.lastIndexOf(' ') + 1))
  const each = lines.length / fresh.length
  for (const [i, { attributes }] of fresh.entries())
    starts.set(attributes, lines.slice(i * each, (i + 1) * each))
}

type Histogram = Extract<
  MetricData,
  { dataPointType: DataPointType.HISTOGRAM }
>['dataPoints'][number]['value']

/** In the order of the lines. */
function histogramValues({ count, sum, buckets }: Histogram): number[] {
  const values = sum === undefined ? [count] : [count, sum]
  let below = 0
  for (const inBucket of buckets.counts) values.push((below += inBucket))
  return values
}

function valueText(value: number): string {
  if (value === Infinity) return '+Inf\n'
  if (value === -Infinity) return '-Inf\n'
  return `${value}\n`
}

function createLibrarySerializer(): PrometheusSerializer {
  const prefix = ''
  const appendTimestamp = false
  const resourceLabels = undefined
  const withoutTargetInfo = true
  const withoutScopeInfo = true
  return new PrometheusSerializer(
    prefix,
    appendTimestamp,
    resourceLabels,
    withoutTargetInfo,
    withoutScopeInfo,
  )
}
