import type { Attributes } from '@opentelemetry/api'
import { ValueType } from '@opentelemetry/api'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { emptyResource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createSerializer } from '../../src/metrics/serializer.ts'

const BOUNDARIES = [0.5, 10, 1e21]

const common = (name: string, description: string) => ({
  descriptor: { name, description, unit: '', valueType: ValueType.DOUBLE },
  aggregationTemporality: AggregationTemporality.CUMULATIVE,
})

const point = <T>(attributes: Attributes, value: T) => ({
  attributes,
  value,
  startTime: [0, 0] as [number, number],
  endTime: [1, 0] as [number, number],
})

/** A counter, a gauge and a histogram with a point for each series; each value comes from `next`. */
function scrapeOf(series: readonly Attributes[], next: () => number): ResourceMetrics {
  const counts = (): number[] =>
    [...BOUNDARIES, Infinity].map(() => Math.abs(Math.trunc(next() % 1_000)) || 0)
  const metrics: MetricData[] = [
    {
      ...common('audit.some', 'A counter.'),
      dataPointType: DataPointType.SUM,
      isMonotonic: true,
      dataPoints: series.map((attributes) => point(attributes, next())),
    },
    {
      ...common('audit.gauge', 'A "gauge"\nwith a \\.'),
      dataPointType: DataPointType.GAUGE,
      dataPoints: series.map((attributes) => point(attributes, next())),
    },
    {
      ...common('audit.histogram', ''),
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: series.map((attributes) =>
        point(attributes, {
          buckets: { boundaries: BOUNDARIES, counts: counts() },
          sum: next(),
          count: Math.abs(next()),
        }),
      ),
    },
  ]
  return { resource: emptyResource(), scopeMetrics: [{ scope: { name: 'test' }, metrics }] }
}

const special = fc.string({ unit: fc.constantFrom(' ', '"', '\\', '\n', '{', 'n', 'ü', '\uFFFD') })
const labels = fc.dictionary(
  fc.constantFrom('step', 'error_type', 'context.hash'),
  fc.oneof(special, fc.string({ unit: 'binary' })),
)
const value = fc.oneof(fc.double(), fc.nat(), fc.constantFrom(Infinity, -Infinity, Number.NaN, -0))
const values = fc.array(value, { minLength: 1 })

test("each scrape is the text of OpenTelemetry's serializer, also when values change and series come and go", () => {
  fc.assert(
    fc.property(
      fc.array(labels, { maxLength: 5 }),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), values), { minLength: 1, maxLength: 4 }),
      (series, scrapes) => {
        const serializer = createSerializer()
        const reference = new PrometheusSerializer('', false, undefined, true, true)
        for (const [shown, given] of scrapes) {
          let i = 0
          const scrape = scrapeOf(series.slice(0, shown), () => given[i++ % given.length] as number)
          expect(serializer.serialize(scrape)).toBe(reference.serialize(scrape))
        }
      },
    ),
  )
})
