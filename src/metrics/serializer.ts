import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'

/** Renders metrics in the Prometheus text format, without timestamps and without labels or series of the SDK itself. */
export function createSerializer(): PrometheusSerializer {
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
