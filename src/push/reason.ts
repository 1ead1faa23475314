/** Why an export failed. */
export interface Reason {
  readonly cause: string
  /** What to do about it. */
  readonly advice: string
}

const UNREACHABLE = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])
const MAX_CAUSE_CHARS = 300

const ADVICE: Readonly<Record<string, string>> = {
  unreachable: 'Check that the endpoint is up and that its host and port are those of OTLP over HTTP.',
  401: 'Set OTEL_EXPORTER_OTLP_HEADERS to what the endpoint asks for.',
  403: 'Set OTEL_EXPORTER_OTLP_HEADERS to what the endpoint asks for.',
  404: 'Check the path: it is /v1/metrics below OTEL_EXPORTER_OTLP_ENDPOINT; for Prometheus, start it with --web.enable-otlp-receiver and set http://HOST:9090/api/v1/otlp.',
  busy: 'The endpoint is overloaded or starting.',
  timeout:
    'Check that the endpoint answers, or raise OTEL_EXPORTER_OTLP_TIMEOUT and OTEL_METRIC_EXPORT_TIMEOUT.',
  other: 'Check the endpoint and its log.',
}

const reason = (cause: string, advice: string): Reason => ({
  cause: cause
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, MAX_CAUSE_CHARS),
  advice: ADVICE[advice] ?? ADVICE['other'] ?? '',
})

/** The reason of an error that the SDK's exporter has reported. */
export function reasonOf(error: unknown): Reason {
  const { code, message = '', data } = (error ?? {}) as { code?: unknown; message?: string; data?: string }
  if (typeof code === 'number') return reason(`HTTP ${code} ${message}: ${data ?? ''}`, String(code))
  if (typeof code === 'string') {
    return reason(message === '' ? code : message, UNREACHABLE.has(code) ? 'unreachable' : 'other')
  }
  // The SDK keeps no status of what it has retried in vain.
  if (message === 'Export failed with retryable status')
    return reason('the endpoint kept answering 429, 502, 503 or 504', 'busy')
  if (message === 'Request timed out') return reason('the endpoint did not answer in time', 'timeout')
  return reason(message === '' ? String(error) : message, 'other')
}

/** The reason of an export that did not end within a time in milliseconds. */
export const noAnswer = (ms: number): Reason => reason(`no answer within ${Math.round(ms)} ms`, 'timeout')
