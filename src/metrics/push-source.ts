import type { Resource } from '@opentelemetry/resources'
import {
  MetricReader,
  type MetricProducer,
  type ResourceMetrics,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics'
import type { Showing } from './showing.ts'

export interface PushSourceDeps {
  /** The exact series, as pushes show them. */
  readonly producer: MetricProducer
  readonly showing: Showing
  /** Names this exporter. */
  readonly resource: Resource
}

/** Everything that one export contains. */
interface Collected {
  readonly resourceMetrics: ResourceMetrics
  /** Call it once the endpoint has accepted the export: the new series in it have then been seen at their base. */
  readonly received: () => void
  /** Errors of self-metrics, which are missing from it or repeat their last value. All exact series are there. */
  readonly selfFaults: readonly unknown[]
}

/** Where exports come from. */
export interface PushSource {
  readonly resource: Resource
  /** To be registered with the provider of the self-metrics. */
  readonly reader: MetricReader
  /** Commits, then collects what is committed. Rejects if an exact series could not be collected. */
  collect(): Promise<Collected>
  /** What accepted exports have contained. */
  shown(): ReturnType<Showing['shown']>
}

/** Collects when it is asked. The SDK's periodic reader does not tell which export was accepted. */
class OnDemandReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve()
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve()
  }
}

export function createPushSource({ producer, showing, resource }: PushSourceDeps): PushSource {
  const reader = new OnDemandReader({ metricProducers: [producer] })
  return {
    resource,
    reader,
    async collect() {
      const answer = showing.begin()
      const { resourceMetrics, errors: selfFaults } = await reader.collect()
      return {
        resourceMetrics: { ...resourceMetrics, scopeMetrics: resourceMetrics.scopeMetrics.map(withoutEmpty) },
        selfFaults,
        received: () => answer.received(),
      }
    },
    shown: () => showing.shown(),
  }
}

/** Prometheus answers an export with a metric without points by 500, and takes nothing of it. */
const withoutEmpty = ({ scope, metrics }: ScopeMetrics): ScopeMetrics => ({
  scope,
  metrics: metrics.filter(({ dataPoints }) => dataPoints.length > 0),
})
