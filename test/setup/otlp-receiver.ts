import { once } from 'node:events'
import http from 'node:http'
import type net from 'node:net'
import { gunzipSync } from 'node:zlib'
import protobuf from 'protobufjs'
import { onTestFinished } from 'vitest'
import { seriesKey } from './exposition.ts'
import { until } from './process.ts'

/** As much of OTLP as the tests read: https://github.com/open-telemetry/opentelemetry-proto */
const PROTO = `
syntax = "proto3";
message Request { repeated ResourceMetrics resource_metrics = 1; }
message ResourceMetrics { Resource resource = 1; repeated ScopeMetrics scope_metrics = 2; }
message Resource { repeated KeyValue attributes = 1; }
message KeyValue { string key = 1; AnyValue value = 2; }
message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
message ScopeMetrics { repeated Metric metrics = 2; }
message Metric { string name = 1; oneof data { Gauge gauge = 5; Sum sum = 7; Histogram histogram = 9; } }
message Gauge { repeated Number data_points = 1; }
message Sum { repeated Number data_points = 1; int32 aggregation_temporality = 2; bool is_monotonic = 3; }
message Number {
  fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3;
  oneof value { double as_double = 4; sfixed64 as_int = 6; } repeated KeyValue attributes = 7;
}
message Histogram { repeated HistogramPoint data_points = 1; int32 aggregation_temporality = 2; }
message HistogramPoint {
  fixed64 start_time_unix_nano = 2; fixed64 time_unix_nano = 3; fixed64 count = 4; double sum = 5;
  repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7; repeated KeyValue attributes = 9;
}
message Response { PartialSuccess partial_success = 1; }
message PartialSuccess { int64 rejected_data_points = 1; string error_message = 2; }
`
const types = protobuf.parse(PROTO).root

type KeyValue = { key: string; value?: Record<string, unknown> }
type Point = {
  startTimeUnixNano: string
  timeUnixNano: string
  attributes: KeyValue[]
  asDouble?: number
  asInt?: string
  count?: string
  sum?: number
}
type Metric = {
  name: string
  gauge?: { dataPoints: Point[] }
  sum?: { dataPoints: Point[] }
  histogram?: { dataPoints: Point[] }
}

/** One export that arrived. */
export interface Received {
  readonly path: string
  readonly headers: http.IncomingHttpHeaders
  readonly resource: Record<string, unknown>
  /** By the names and labels that they have on /metrics; of a histogram its sum and count. */
  readonly samples: Map<string, number>
  /** When counting of each sample began, in milliseconds since 1970. */
  readonly startMs: Map<string, number>
}

/** What the receiver does with the next exports: a status, no answer at all, or acceptance of a part. */
export type Behaviour =
  number | 'hang' | { readonly rejectedDataPoints: number; readonly errorMessage: string }

export interface Receiver {
  readonly url: string
  /** Every export that arrived, also those that were not accepted. */
  readonly received: Received[]
  behaves(behaviour: Behaviour): void
  /** Waits for a next export, and returns it. */
  next(): Promise<Received>
  stop(): Promise<void>
}

/** An OTLP endpoint on a port of this machine, which does what the test says. It ends with the test. */
export async function startReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = []
  let behaviour: Behaviour = 200
  const server = http.createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      // An exporter that is killed in the middle of a request has sent nothing that could be decoded.
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
    })
  })
  async function answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    received.push(decode(request, request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body))
    if (behaviour === 'hang') return
    if (typeof behaviour === 'number') {
      response.writeHead(behaviour, behaviour === 200 ? {} : { 'content-type': 'text/plain' })
      response.end(behaviour === 200 ? '' : 'says the test')
      return
    }
    const type = types.lookupType('Response')
    response.end(type.encode(type.fromObject({ partialSuccess: behaviour })).finish())
  }
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  async function stop(): Promise<void> {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  onTestFinished(stop)
  return {
    url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`,
    received,
    behaves: (next) => void (behaviour = next),
    async next() {
      const before = received.length
      return until('an export arrives', () => received[before])
    },
    stop,
  }
}

function decode(request: http.IncomingMessage, body: Buffer): Received {
  const type = types.lookupType('Request')
  const { resourceMetrics = [] } = type.toObject(type.decode(body), { longs: String, defaults: false }) as {
    resourceMetrics?: {
      resource?: { attributes?: KeyValue[] }
      scopeMetrics?: { metrics?: Metric[] }[]
    }[]
  }
  const samples = new Map<string, number>()
  const startMs = new Map<string, number>()
  const metrics = resourceMetrics.flatMap(({ scopeMetrics = [] }) =>
    scopeMetrics.flatMap((scope) => scope.metrics ?? []),
  )
  for (const { name, gauge, sum, histogram } of metrics) {
    const base = name.replaceAll('.', '_')
    for (const point of (gauge ?? sum ?? histogram)?.dataPoints ?? []) {
      const labels = Object.fromEntries(
        Object.entries(record(point.attributes ?? [])).map(([key, value]) => [key, String(value)]),
      )
      const put = (suffix: string, value: number): void => {
        const key = seriesKey(base + suffix, labels)
        samples.set(key, value)
        startMs.set(key, Number(BigInt(point.startTimeUnixNano) / 1_000_000n))
      }
      if (histogram !== undefined) {
        put('_count', Number(point.count ?? 0))
        put('_sum', point.sum ?? 0)
      } else put(sum === undefined ? '' : '_total', point.asDouble ?? Number(point.asInt ?? 0))
    }
  }
  return {
    path: request.url ?? '',
    headers: request.headers,
    resource: record(resourceMetrics[0]?.resource?.attributes ?? []),
    samples,
    startMs,
  }
}

const record = (pairs: readonly KeyValue[]): Record<string, unknown> =>
  Object.fromEntries(pairs.map(({ key, value = {} }) => [key, Object.values(value)[0] ?? '']))
