import { DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics'
import { seriesKey } from './exposition.ts'

/** The samples of an export, by the names and labels that they have on /metrics. */
export function samplesOf({ scopeMetrics }: ResourceMetrics): Map<string, number> {
  const samples = new Map<string, number>()
  for (const { metrics } of scopeMetrics) {
    for (const metric of metrics) {
      const name = metric.descriptor.name.replaceAll('.', '_')
      for (const { attributes, value } of metric.dataPoints) {
        const labels = Object.fromEntries(Object.entries(attributes).map(([key, of]) => [key, String(of)]))
        if (typeof value === 'number') {
          const total = metric.dataPointType === DataPointType.SUM ? '_total' : ''
          samples.set(seriesKey(name + total, labels), value)
        } else {
          samples.set(seriesKey(`${name}_sum`, labels), value.sum ?? Number.NaN)
          samples.set(seriesKey(`${name}_count`, labels), value.count)
        }
      }
    }
  }
  return samples
}
