import { MeterProvider, type MetricProducer } from '@opentelemetry/sdk-metrics'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import type { Meter } from '@opentelemetry/api'
import type { Clock } from '../clock.ts'
import type { Ledger, Series } from './ledger.ts'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export interface ExpositionDeps {
  readonly ledger: Ledger
  readonly producer: MetricProducer
  readonly clock: Clock
  /** How long a new series stays at its start after a scrape has seen it there. */
  readonly newSeriesHoldMs: number
  /** Writes what has changed; `false` where the state cannot be written. */
  readonly commit: () => boolean
}

interface Rendered {
  readonly body: string
  /** To be called when the whole response has been sent: the new series in it have been seen at their start. */
  readonly sent: () => void
  /** Why self-metrics are missing from it, or stand still; the exact series are all there. */
  readonly selfFaults: readonly unknown[]
}

export interface Exposition {
  /** For instruments that need not survive the process. */
  readonly meter: Meter
  /** Commits, then renders what is committed. Throws where an exact series could not be collected. */
  scrape(): Promise<Rendered>
  close(): Promise<void>
}

/**
 * Prometheus cannot see the first increment of a series that appears above zero, so a new series is shown
 * at its start until one scrape has been answered with that and the hold has passed. The step to its value
 * is committed before it is shown. The hold is measured by a clock that never jumps; a restart begins it anew.
 */
export function createExposition(deps: ExpositionDeps): Exposition {
  const { ledger, clock } = deps
  const exporter = new PrometheusExporter({ preventServerStart: true, metricProducers: [deps.producer] })
  const serializer = new PrometheusSerializer('', false, undefined, true, true)
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
      // The producer of the exact series reports no errors: it throws. What is reported are the others'.
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
