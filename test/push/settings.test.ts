import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { UsageError } from '../../src/config/usage-error.ts'
import { pushSettings } from '../../src/push/settings.ts'
import { temporaryDirectory } from '../setup/exporter.ts'

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }

test.each([
  ['no endpoint', {}],
  ['an empty endpoint', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  ['the SDK disabled', { ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }],
  ['no exporter', { ...ENDPOINT, OTEL_METRICS_EXPORTER: 'none' }],
  ['another exporter', { ...ENDPOINT, OTEL_METRICS_EXPORTER: 'prometheus' }],
])('nothing is pushed with %s, whatever the other variables say', (_, env) => {
  expect(pushSettings({ ...env, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toBeUndefined()
})

test('the defaults are those of OpenTelemetry', () => {
  expect(pushSettings(ENDPOINT)).toEqual({
    url: 'http://collector:4318/v1/metrics',
    headers: {},
    compression: 'none',
    tls: {},
    timeoutMs: 10_000,
    exportTimeoutMs: 30_000,
    intervalMs: 60_000,
    resource: {},
  })
})

test.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://p:9090/api/v1/otlp/' }, 'http://p:9090/api/v1/otlp/v1/metrics'],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'https://m/push' }, 'https://m/push'],
])('%j pushes to %s', (env, url) => {
  expect(pushSettings(env)?.url).toBe(url)
})

test('the variables for metrics come before those for all signals, and the name of the service before its attribute', () => {
  const ca = path.join(temporaryDirectory(), 'ca.pem')
  writeFileSync(ca, 'certificate')
  expect(
    pushSettings({
      ...ENDPOINT,
      OTEL_METRICS_EXPORTER: 'prometheus, otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20t,x-scope=all',
      OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'x-scope=metrics',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_TIMEOUT: '5000',
      OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '1000',
      OTEL_EXPORTER_OTLP_CERTIFICATE: ca,
      OTEL_METRIC_EXPORT_INTERVAL: '15000',
      OTEL_METRIC_EXPORT_TIMEOUT: '20000',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,service.instance.id=pod-1,deployment.environment=a%2Cb',
      OTEL_SERVICE_NAME: 'builds',
    }),
  ).toEqual({
    url: 'http://collector:4318/v1/metrics',
    headers: { authorization: 'Bearer t', 'x-scope': 'metrics' },
    compression: 'gzip',
    tls: { ca: Buffer.from('certificate') },
    timeoutMs: 1_000,
    exportTimeoutMs: 20_000,
    intervalMs: 15_000,
    resource: { 'service.name': 'builds', 'service.instance.id': 'pod-1', 'deployment.environment': 'a,b' },
  })
})

test.each([
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'is not a URL such as http://collector:4318'],
  ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'ftp://x', 'is not a URL'],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'only http/protobuf is. Unset it'],
  ['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', 'http/json', 'only http/protobuf is'],
  ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', 'delta', 'only cumulative is'],
  [
    'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION',
    'base2_exponential_bucket_histogram',
    'only explicit',
  ],
  ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd', 'is not one of gzip, none'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'no-value', 'is not a list such as name=value'],
  ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s', 'is not a whole number from 1 to'],
  ['OTEL_EXPORTER_OTLP_CERTIFICATE', '/no/such/file', 'is not a file that can be read'],
  ['OTEL_METRIC_EXPORT_INTERVAL', '0', 'is not a whole number from 1 to'],
  ['OTEL_METRIC_EXPORT_TIMEOUT', '-1', 'is not a whole number from 1 to'],
  ['OTEL_METRICS_EXPORTER', 'otpl', 'is not a list of otlp, none'],
  ['OTEL_SDK_DISABLED', 'maybe', 'is not one of true, false'],
  ['OTEL_RESOURCE_ATTRIBUTES', 'a=%zz', 'is not a list such as name=value'],
])('%s=%s is refused: %s', (name, value, expected) => {
  const read = (): unknown => pushSettings({ ...ENDPOINT, [name]: value })
  expect(read).toThrow(UsageError)
  expect(read).toThrow(`${name}: ${JSON.stringify(value)} `)
  expect(read).toThrow(expected)
})
