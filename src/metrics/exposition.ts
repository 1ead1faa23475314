import { MeterProvider, type MetricProducer } from '@opentelemetry/sdk-metrics'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import type { Meter } from '@opentelemetry/api'
import type { Clock } from '../clock.ts'
import type { Ledger, Series } from './ledger.ts'
import { createSerializer } from './serializer.ts'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export interface ExpositionDeps {
  readonly ledger: Ledger
  readonly producer: MetricProducer
  readonly clock: Clock
  /** How long a new series keeps its base after a scrape has been answered with it. */
  readonly newSeriesHoldMs: number
  /** Writes what has changed; returns `false` if the state cannot be written. */
  readonly commit: () => boolean
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

/**
 * Prometheus misses the first increment of a series that it has never scraped. So a new series shows its base until
 * one scrape has been answered with it and the hold has passed. The step to its value is committed before it is
 * shown. The hold is measured with the monotonic clock, and a restart starts it again.
 */
export function createExposition(deps: ExpositionDeps): Exposition {
  const { ledger, clock } = deps
  const exporter = new PrometheusExporter({ preventServerStart: true, metricProducers: [deps.producer] })
  const serializer = createSerializer()
  const provider = new MeterProvider({ readers: [exporter] })
  const heldSince = new WeakMap<Series, number>()

  function releaseSeen(nowMs: number): void {
    for (const series of Array.from(ledger.held())) {
      if (!series.baseSeen) continue
      const since = heldSince.get(series)
      if (since === undefined) heldSince.set(series, nowMs)
      else if (nowMs - since >= deps.newSeriesHoldMs) ledger.release(series)
    }
  }

  return {
    meter: provider.getMeter('audit_exporter'),
    async scrape() {
      releaseSeen(clock.monotonicMs())
      deps.commit()
      const atBase = [...ledger.held()].filter(
        (series) => series.shown !== undefined && series.shown === series.base,
      )
      // The producer of the exact series throws its errors, so the reported ones are those of self-metrics.
      const { resourceMetrics, errors: selfFaults } = await exporter.collect()
      return {
        selfFaults,
        body: serializer.serialize(resourceMetrics),
        sent() {
          const nowMs = clock.monotonicMs()
          for (const series of atBase) {
            if (series.base === undefined || series.hidden || series.baseSeen) continue
            heldSince.set(series, nowMs)
            ledger.baseSeen(series)
          }
        },
      }
    },
    close: () => provider.shutdown(),
  }
}
