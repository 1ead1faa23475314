import type { Meter } from '@opentelemetry/api'
import type { Outcome } from './exporter.ts'

export interface PushMetrics {
  exported(result: Outcome['result'], nowMs: number): void
}

/** How pushing goes, on /metrics and in later exports. These restart with the process. */
export function createPushMetrics(meter: Meter): PushMetrics {
  const exports = meter.createCounter('audit_exporter.push_exports', {
    description:
      'Exports that were pushed since the process started, by result; partial: the endpoint rejected some points.',
  })
  const results: readonly Outcome['result'][] = ['success', 'partial', 'failed']
  for (const result of results) exports.add(0, { result })
  let lastSuccessMs: number | undefined
  meter
    .createObservableGauge('audit_exporter.push_last_success_timestamp_seconds', {
      description: 'When an export was accepted for the last time, in seconds since 1970.',
    })
    .addCallback((observer) => {
      if (lastSuccessMs !== undefined) observer.observe(lastSuccessMs / 1000)
    })
  return {
    exported(result, nowMs) {
      exports.add(1, { result })
      if (result !== 'failed') lastSuccessMs = nowMs
    },
  }
}
