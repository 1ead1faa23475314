import type { Resource } from '@opentelemetry/resources'
import { MeterProvider, type IMetricReader, type MetricProducer } from '@opentelemetry/sdk-metrics'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import type { Meter } from '@opentelemetry/api'
import { createSerializer } from './serializer.ts'
import type { Showing } from './showing.ts'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export interface ExpositionDeps {
  readonly producer: MetricProducer
  readonly showing: Showing
  /** Gets the same instruments of the meter, under a resource that names the exporter. */
  readonly push?: { readonly reader: IMetricReader; readonly resource: Resource } | undefined
}

interface Rendered {
  readonly body: string
  /** Call it once the whole response has been sent: the new series in it have then been scraped at their base. */
  readonly sent: () => void
  /** Errors of self-metrics, which are missing from it or repeat their last value. All exact series are there. */
  readonly selfFaults: readonly unknown[]
}

export interface Exposition {
  /** For instruments that restart at zero with the process. */
  readonly meter: Meter
  /** Commits, then renders what is committed. Throws if an exact series could not be collected. */
  scrape(): Promise<Rendered>
  close(): Promise<void>
}

/** The metrics in the Prometheus text format. */
export function createExposition({ producer, showing, push }: ExpositionDeps): Exposition {
  const exporter = new PrometheusExporter({ preventServerStart: true, metricProducers: [producer] })
  const serializer = createSerializer()
  const provider = new MeterProvider(
    push === undefined
      ? { readers: [exporter] }
      : { readers: [exporter, push.reader], resource: push.resource },
  )

  return {
    meter: provider.getMeter('audit_exporter'),
    async scrape() {
      const answer = showing.begin()
      // The producer of the exact series throws its errors, so the reported ones are those of self-metrics.
      const { resourceMetrics, errors: selfFaults } = await exporter.collect()
      return {
        selfFaults,
        body: serializer.serialize(resourceMetrics),
        sent: () => answer.received(),
      }
    },
    close: () => provider.shutdown(),
  }
}
