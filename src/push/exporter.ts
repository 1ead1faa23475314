import { diag, DiagLogLevel } from '@opentelemetry/api'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics'
import { reasonOf, type Reason } from './reason.ts'
import type { PushSettings } from './settings.ts'

/** `partial`: the endpoint took the export, but rejected some of its points. */
export type Outcome =
  | { readonly result: 'success' }
  | { readonly result: 'partial'; readonly rejectedPoints: number; readonly cause: string }
  | ({ readonly result: 'failed' } & Reason)

export interface Exporter {
  /** Sends one export, with the SDK's own retries. Never rejects. */
  export(metrics: ResourceMetrics): Promise<Outcome>
}

type Options = NonNullable<ConstructorParameters<typeof OTLPMetricExporter>[0]>

/** The SDK's OTLP exporter, HTTP with protobuf. */
export function createExporter(settings: PushSettings): Exporter {
  const { url, headers, timeoutMs, compression, tls } = settings
  const exporter = new OTLPMetricExporter({
    url,
    headers: { ...headers },
    timeoutMillis: timeoutMs,
    compression: compression as NonNullable<Options['compression']>,
    httpAgentOptions: { keepAlive: true, ...tls },
  })
  /** The rejections of the export that is under way. */
  const rejections: Rejection[] = []
  onRejection((rejection) => rejections.push(rejection))

  return {
    async export(metrics) {
      rejections.length = 0
      const failure = await new Promise<{ error?: unknown } | undefined>((resolve) => {
        try {
          exporter.export(metrics, ({ code, error }) =>
            resolve((code as number) === 0 ? undefined : { error }),
          )
        } catch (error) {
          resolve({ error })
        }
      })
      if (failure !== undefined) return { result: 'failed', ...reasonOf(failure.error) }
      const [rejection] = rejections
      return rejection === undefined ? { result: 'success' } : { result: 'partial', ...rejection }
    },
  }
}

interface Rejection {
  readonly rejectedPoints: number
  readonly cause: string
}

/** The SDK reports points that the endpoint rejected to its diagnostics only, right before the result of the export. */
function onRejection(found: (rejection: Rejection) => void): void {
  const ignore = (): void => undefined
  const logger = {
    error: ignore,
    info: ignore,
    debug: ignore,
    verbose: ignore,
    warn(message: string, detail?: unknown) {
      if (!message.startsWith('Received Partial Success')) return
      const { rejectedDataPoints = 0, errorMessage = '' } = JSON.parse(String(detail)) as PartialSuccess
      const rejectedPoints = Number(rejectedDataPoints)
      if (rejectedPoints > 0) found({ rejectedPoints, cause: errorMessage })
    },
  }
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true })
}

interface PartialSuccess {
  readonly rejectedDataPoints?: number | string
  readonly errorMessage?: string
}
