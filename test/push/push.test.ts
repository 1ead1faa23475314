import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startDaemon, type Daemon } from '../setup/daemon.ts'
import { entry, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { seriesKey } from '../setup/exposition.ts'
import { startReceiver, type Received, type Receiver } from '../setup/otlp-receiver.ts'
import { start, until } from '../setup/process.ts'
import { entriesKey } from '../setup/series.ts'

const ENTRIES = entriesKey('unknown', 'implement_v1', 'implement')
const exportsOf = (result: string): string => seriesKey('audit_exporter_push_exports_total', { result })

/** Longer than any test. */
const HOUR = '3600000'

interface Place {
  readonly root: string
  readonly state: string
  write(...entries: readonly Record<string, unknown>[]): void
}

function setUp(): Place {
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  mkdirSync(root)
  const trace = path.join(root, 'audit_trace.jsonl')
  writeFileSync(trace, '')
  return {
    root,
    state: path.join(directory, 'state'),
    write: (...entries) => appendFileSync(trace, lines(...entries)),
  }
}

async function startPushing(
  place: Place,
  { url }: Pick<Receiver, 'url'>,
  { env = {}, args = [] }: { env?: NodeJS.ProcessEnv; args?: readonly string[] } = {},
): Promise<Daemon> {
  const daemon = await startDaemon({
    roots: [place.root],
    state: place.state,
    args,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_METRIC_EXPORT_INTERVAL: '50', ...env },
  })
  await daemon.ready()
  return daemon
}

const arrival = (receiver: Receiver, what: string, is: (received: Received) => boolean): Promise<Received> =>
  until(what, () => receiver.received.find(is))

/** The values of the entries in all exports that had them, without repetitions. */
const valuesOf = ({ received }: Receiver): (number | undefined)[] =>
  received
    .map(({ samples }) => samples.get(ENTRIES))
    .filter((value, i, all) => value !== undefined && value !== all[i - 1])

const logged = (daemon: Daemon, event: string): Promise<Record<string, unknown>> =>
  until(`the daemon logs ${event}`, () => daemon.log().find((line) => line['event'] === event), {
    detail: daemon.output,
  })

test('an export has what /metrics has, under a resource that names exporter and state', async () => {
  const [place, receiver] = [setUp(), await startReceiver()]
  place.write(entry({ prompt_token_count: 700, completion_token_count: 300 }), entry())
  const daemon = await startPushing(place, receiver, {
    env: {
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20secret',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
    },
  })
  await receiver.next()
  const { path: url, headers, resource, samples } = await receiver.next()
  expect(url).toBe('/v1/metrics')
  expect(headers).toMatchObject({
    authorization: 'Bearer secret',
    'content-type': 'application/x-protobuf',
    'content-encoding': 'gzip',
  })
  expect(resource).toMatchObject({
    'service.name': 'audit-trace-exporter',
    'service.instance.id': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    'deployment.environment': 'test',
  })
  const scraped = await daemon.scrape()
  expect(samples.get(ENTRIES)).toBe(2)
  for (const [key, value] of scraped) {
    if (/_bucket\{|_bucket$/.test(key)) continue
    expect(samples.has(key), key).toBe(true)
    if (key.startsWith('audit_') && !key.startsWith('audit_exporter_'))
      expect(samples.get(key), key).toBe(value)
  }
  for (const key of samples.keys()) expect(scraped.has(key), key).toBe(true)
  expect(daemon.output(), 'headers may contain passwords').not.toContain('secret')
})

test('a new series is pushed at zero until that was accepted, then with its value; it began at its birth', async () => {
  const [place, receiver] = [setUp(), await startReceiver()]
  const before = Date.now()
  // The SDK's own retries, which are slower, need more time.
  const env = { OTEL_EXPORTER_OTLP_TIMEOUT: '100' }
  const daemon = await startPushing(place, receiver, { env })
  receiver.behaves(503)
  place.write(entry(), entry())
  await arrival(receiver, 'the new series', ({ samples }) => samples.has(ENTRIES))
  await receiver.next()
  expect(valuesOf(receiver)).toEqual([0])
  receiver.behaves(200)
  const { startMs } = await arrival(receiver, 'its value', ({ samples }) => samples.get(ENTRIES) === 2)
  expect(valuesOf(receiver)).toEqual([0, 2])
  expect(startMs.get(ENTRIES)).toBeGreaterThanOrEqual(before)

  await daemon.stop('SIGKILL')
  receiver.received.length = 0
  await startPushing(place, receiver)
  const again = await receiver.next()
  expect(again.startMs.get(ENTRIES), 'kill -9 makes no other start').toBe(startMs.get(ENTRIES))
  expect(valuesOf(receiver)).toEqual([2])
})

test('an endpoint that is down, hangs or refuses is logged once with what to do, and holds back neither reading nor scrapes', async () => {
  const place = setUp()
  const first = await startReceiver()
  const port = Number(new URL(first.url).port)
  const daemon = await startPushing(place, first, {
    env: { OTEL_METRIC_EXPORT_TIMEOUT: '100' },
    args: ['--new-series-hold', '0s'],
  })
  await first.next()
  const scrapedEntries = (n: number): Promise<unknown> =>
    until('reading and scrapes go on', async () => {
      const scraped = await daemon.scrape()
      return scraped.get(ENTRIES) === n || undefined
    })

  first.behaves('hang')
  await first.next()
  place.write(entry())
  await scrapedEntries(1)
  expect(await logged(daemon, 'push_failed')).toMatchObject({
    cause: 'no answer within 100 ms',
    msg: expect.stringContaining('raise OTEL_EXPORTER_OTLP_TIMEOUT') as string,
  })
  await first.stop()
  place.write(entry())
  await scrapedEntries(2)
  const failed = async (): Promise<number> => (await daemon.scrape()).get(exportsOf('failed')) ?? 0
  const soFar = await failed()
  await until('it is refused', async () => (await failed()) > soFar + 1 || undefined)
  expect(daemon.log().filter(({ event }) => event === 'push_failed')).toHaveLength(1)

  const second = await startReceiver(port)
  await arrival(second, 'the total', ({ samples }) => samples.get(ENTRIES) === 2)
  expect(valuesOf(second)).toEqual([0, 2])
  expect(await logged(daemon, 'push_recovered')).toMatchObject({
    failures: expect.any(Number) as number,
  })
  second.behaves(400)
  await until('it is refused', () =>
    daemon
      .log()
      .find(({ event, cause }) => event === 'push_failed' && /HTTP 400 .*says the test/.test(String(cause))),
  )
})

test('points that the endpoint rejects are logged and counted, and hold back no other series', async () => {
  const [place, receiver] = [setUp(), await startReceiver()]
  receiver.behaves({ rejectedDataPoints: 3, errorMessage: 'too many series' })
  const daemon = await startPushing(place, receiver)
  expect(await logged(daemon, 'push_partial')).toMatchObject({ rejectedPoints: 3, cause: 'too many series' })
  place.write(entry())
  await arrival(receiver, 'the value', ({ samples }) => samples.get(ENTRIES) === 1)
  expect((await daemon.scrape()).get(exportsOf('partial'))).toBeGreaterThan(0)
  receiver.behaves({ rejectedDataPoints: 0, errorMessage: 'a hint' })
  await until(
    'an export is a success',
    async () => ((await daemon.scrape()).get(exportsOf('success')) ?? 0) > 0 || undefined,
  )
})

test('at the end the last lines are read, and pushed at zero and with their value, without a linger', async () => {
  const [place, receiver] = [setUp(), await startReceiver()]
  const daemon = await startPushing(place, receiver, { env: { OTEL_METRIC_EXPORT_INTERVAL: HOUR } })
  await arrival(receiver, 'the first export', () => true)
  place.write(entry(), entry(), entry())
  expect(await daemon.stop('SIGTERM')).toBe(0)
  expect(valuesOf(receiver)).toEqual([0, 3])
  expect(daemon.log().slice(-2)).toMatchObject([{ event: 'push_flushed' }, { event: 'stopped' }])
})

test('a linger ends when everything was pushed, because that counts like a scrape', async () => {
  const [place, receiver] = [setUp(), await startReceiver()]
  const daemon = await startPushing(place, receiver, {
    env: { OTEL_METRIC_EXPORT_INTERVAL: HOUR },
    args: ['--linger', '1h'],
  })
  place.write(entry())
  receiver.behaves(400)
  daemon.child.kill('SIGTERM')
  await logged(daemon, 'push_failed')
  expect(daemon.child.exitCode).toBeNull()
  receiver.behaves(200)
  expect(await until('it ends', () => daemon.child.exitCode ?? undefined)).toBe(0)
  expect(receiver.received.at(-1)?.samples.get(ENTRIES)).toBe(1)
})

test('an endpoint that hangs at the end delays it by seconds only; the next process pushes what is missing', async () => {
  const [place, receiver] = [setUp(), await startReceiver()]
  const daemon = await startPushing(place, receiver, { env: { OTEL_METRIC_EXPORT_INTERVAL: HOUR } })
  await arrival(receiver, 'the first export', () => true)
  receiver.behaves('hang')
  place.write(entry())
  expect(await daemon.stop('SIGTERM')).toBe(0)
  expect(daemon.log()).toContainEqual(expect.objectContaining({ event: 'not_pushed', entries: 1 }))
  receiver.behaves(200)
  receiver.received.length = 0
  await startPushing(place, receiver)
  await arrival(receiver, 'the value', ({ samples }) => samples.get(ENTRIES) === 1)
  expect(valuesOf(receiver)).toEqual([0, 1])
})

test('an instance is its state: a restart is the same one, another state is another; a given ID is honoured', async () => {
  const [place, other, receiver] = [setUp(), setUp(), await startReceiver()]
  const instanceOf = async (at: Place, env: NodeJS.ProcessEnv = {}): Promise<unknown> => {
    receiver.received.length = 0
    const daemon = await startPushing(at, receiver, { env })
    const { resource } = await arrival(receiver, 'an export', () => true)
    await daemon.stop('SIGKILL')
    return resource['service.instance.id']
  }
  const id = await instanceOf(place)
  expect(await instanceOf(place)).toBe(id)
  expect(await instanceOf(other)).not.toBe(id)
  expect(await instanceOf(place, { OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=pod-7' })).toBe('pod-7')
})

test('a variable that cannot be used ends the start with exit code 2; without an endpoint there is no trace of pushes', async () => {
  const place = setUp()
  const program = start(
    process.execPath,
    [path.resolve(import.meta.dirname, '../../src/main.ts'), 'watch', place.root, '--state', place.state],
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
  )
  await until('it ends', () => program.child.exitCode ?? undefined)
  expect(program.child.exitCode).toBe(2)
  expect(program.output()).toContain('error: OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" is not supported')

  const daemon = await startDaemon({
    roots: [place.root],
    state: place.state,
    env: { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
  })
  await daemon.ready()
  expect([...(await daemon.scrape()).keys()].filter((key) => key.includes('push'))).toEqual([])
})
