import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import { oneOf, parsed, wholeNumber } from '../config/fields.ts'
import { UsageError } from '../config/usage-error.ts'

/** Where and how the metrics are pushed. Durations in milliseconds. */
export interface PushSettings {
  /** The whole URL of the receiver. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly compression: 'gzip' | 'none'
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer }
  /** How long the SDK's exporter tries one export, with its own retries. */
  readonly timeoutMs: number
  /** How long an export may take before it counts as failed. */
  readonly exportTimeoutMs: number
  /** From the start of one export to the start of the next. */
  readonly intervalMs: number
  /** Attributes of the resource that the user has given. */
  readonly resource: Readonly<Record<string, string>>
}

type Environment = Readonly<Record<string, string | undefined>>

const INTERVAL_MS = 60_000
const EXPORT_TIMEOUT_MS = 30_000
const TIMEOUT_MS = 10_000

/** What setTimeout takes. */
const MAX_MS = 2 ** 31 - 1
const milliseconds = wholeNumber({ min: 1, max: MAX_MS })

const EXPORTERS = ['otlp', 'none', 'prometheus', 'console', 'logging']
const exporters = parsed(
  (text) => {
    const words = text.split(',').map((word) => word.trim())
    return words.every((word) => EXPORTERS.includes(word)) ? words : undefined
  },
  `a list of ${EXPORTERS.join(', ')}`,
)

const flagWord = parsed((text) => ({ true: true, false: false })[text.toLowerCase()], 'one of true, false')

const endpoint = parsed(
  parseEndpoint,
  'a URL such as http://collector:4318, or http://prometheus:9090/api/v1/otlp for Prometheus',
)
const pairs = parsed(parsePairs, 'a list such as name=value,other=value, percent-encoded')

/**
 * Reads the standard variables of OpenTelemetry. Returns `undefined` if nothing is to be pushed: without an endpoint, or
 * if the SDK or its OTLP exporter is turned off. The other variables then do not matter.
 * Throws a `UsageError` that names the variable, its value, and what is expected.
 */
export function pushSettings(env: Environment): PushSettings | undefined {
  const base = read(env, ['OTEL_EXPORTER_OTLP_ENDPOINT'], endpoint)
  const whole = read(env, ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'], endpoint)
  if (base === undefined && whole === undefined) return undefined
  if (read(env, ['OTEL_SDK_DISABLED'], flagWord) === true) return undefined
  if (read(env, ['OTEL_METRICS_EXPORTER'], exporters)?.includes('otlp') === false) return undefined
  refuseOthers(env)
  return {
    url: whole ?? `${base?.replace(/\/$/u, '')}/v1/metrics`,
    headers: {
      ...read(env, ['OTEL_EXPORTER_OTLP_HEADERS'], pairs),
      ...read(env, ['OTEL_EXPORTER_OTLP_METRICS_HEADERS'], pairs),
    },
    compression: readOtlp(env, 'COMPRESSION', oneOf(['gzip', 'none'])) ?? 'none',
    tls: {
      ...readPem(env, 'ca', 'CERTIFICATE'),
      ...readPem(env, 'cert', 'CLIENT_CERTIFICATE'),
      ...readPem(env, 'key', 'CLIENT_KEY'),
    },
    timeoutMs: readOtlp(env, 'TIMEOUT', milliseconds) ?? TIMEOUT_MS,
    exportTimeoutMs: read(env, ['OTEL_METRIC_EXPORT_TIMEOUT'], milliseconds) ?? EXPORT_TIMEOUT_MS,
    intervalMs: read(env, ['OTEL_METRIC_EXPORT_INTERVAL'], milliseconds) ?? INTERVAL_MS,
    resource: {
      ...read(env, ['OTEL_RESOURCE_ATTRIBUTES'], pairs),
      ...nameOf(env),
    },
  }
}

/** Variables with values that would change the numbers, or that need another exporter. */
function refuseOthers(env: Environment): void {
  readOtlp(
    env,
    'PROTOCOL',
    parsed(
      (text) => (text === 'http/protobuf' ? text : undefined),
      'supported: only http/protobuf is. Unset it, and set the endpoint to the OTLP/HTTP port of the receiver (4318, not 4317)',
    ),
  )
  readOtlp(
    env,
    'TEMPORALITY_PREFERENCE',
    parsed(
      (text) => (text.toLowerCase() === 'cumulative' ? text : undefined),
      'supported: only cumulative is, because a lost delta is lost for good. Unset it',
    ),
    { signalOnly: true },
  )
  readOtlp(
    env,
    'DEFAULT_HISTOGRAM_AGGREGATION',
    parsed(
      (text) => (text === 'explicit_bucket_histogram' ? text : undefined),
      'supported: only explicit_bucket_histogram is. Unset it',
    ),
    { signalOnly: true },
  )
}

const nameOf = (env: Environment): { 'service.name'?: string } => {
  const name = env['OTEL_SERVICE_NAME']
  return name === undefined || name === '' ? {} : { 'service.name': name }
}

/** Reads `OTEL_EXPORTER_OTLP_METRICS_…`, else `OTEL_EXPORTER_OTLP_…`. */
function readOtlp<T>(
  env: Environment,
  name: string,
  field: z.ZodType<T>,
  { signalOnly = false } = {},
): T | undefined {
  const names = [`OTEL_EXPORTER_OTLP_METRICS_${name}`, `OTEL_EXPORTER_OTLP_${name}`]
  return read(env, signalOnly ? names.slice(0, 1) : names, field)
}

/** The value of the first of the variables that is set. An empty one counts as unset. */
function read<T>(env: Environment, names: readonly string[], field: z.ZodType<T>): T | undefined {
  const name = names.find((each) => env[each] !== undefined && env[each] !== '')
  if (name === undefined) return undefined
  const result = field.safeParse(env[name])
  if (result.success) return result.data
  throw new UsageError(`${name}: ${result.error.issues[0]?.message ?? 'invalid'}`)
}

function readPem<K extends 'ca' | 'cert' | 'key'>(
  env: Environment,
  key: K,
  name: string,
): { [key in K]?: Buffer } {
  const content = readOtlp(env, name, parsed(fileContent, 'a file that can be read'))
  return content === undefined ? {} : ({ [key]: content } as { [key in K]: Buffer })
}

function fileContent(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

function parseEndpoint(text: string): string | undefined {
  const url = URL.parse(text)
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? text : undefined
}

/** `a=1,b=2`, values percent-encoded. */
function parsePairs(text: string): Record<string, string> | undefined {
  const found: Record<string, string> = {}
  for (const pair of text.split(',')) {
    if (pair.trim() === '') continue
    const at = pair.indexOf('=')
    const [name, value] = [decode(pair.slice(0, at).trim()), decode(pair.slice(at + 1).trim())]
    if (at < 1 || name === undefined || name === '' || value === undefined) return undefined
    found[name] = value
  }
  return found
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
