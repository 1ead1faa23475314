import { diag, DiagLogLevel, type DiagLogger } from '@opentelemetry/api'
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

/**
 * The SDK reports points that the endpoint rejected to its diagnostics only, right before the result of the export. The
 * API has one logger for them in a process: that of a program around us goes on getting everything.
 */
function onRejection(found: (rejection: Rejection) => void): void {
  const before = diagnosticLogger()
  diag.setLogger(
    {
      error: (...message) => before?.error(...message),
      info: (...message) => before?.info(...message),
      debug: (...message) => before?.debug(...message),
      verbose: (...message) => before?.verbose(...message),
      warn(message, ...details) {
        before?.warn(message, ...details)
        if (!message.startsWith('Received Partial Success')) return
        const { rejectedDataPoints = 0, errorMessage = '' } = JSON.parse(String(details[0])) as PartialSuccess
        const rejectedPoints = Number(rejectedDataPoints)
        if (rejectedPoints > 0) found({ rejectedPoints, cause: errorMessage })
      },
    },
    { logLevel: before === undefined ? DiagLogLevel.WARN : DiagLogLevel.ALL, suppressOverrideMessage: true },
  )
}

/** The logger that was set, which has its own level. The API has no function that returns it, but keeps it here. */
const diagnosticLogger = (): DiagLogger | undefined =>
  (globalThis as { [key: symbol]: { diag?: DiagLogger } | undefined })[Symbol.for('opentelemetry.js.api.1')]
    ?.diag

interface PartialSuccess {
  readonly rejectedDataPoints?: number | string
  readonly errorMessage?: string
}
