import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { exactIncrease } from '../../prometheus/increase.ts'
import { type Daemon, startDaemon } from '../setup/daemon.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { seriesKey } from '../setup/exposition.ts'
import { freePort } from '../setup/free-port.ts'
import { until } from '../setup/process.ts'
import { type Prometheus, startPrometheus } from '../setup/prometheus.ts'
import { answers, emptyOf, risen, settled } from './compare.ts'
import { createWriter, JOB, MAY_BE_EMPTY, queriesOf, totalOf, writeQuickRules } from './fleet.ts'
import { expectedOf, shortBuild, sumsOf, writeBuild } from './short-lives.ts'

/** Prometheus as the documentation starts it; nothing else is set. */
const RECEIVER = { generation: '3', targets: {}, args: ['--web.enable-otlp-receiver'] } as const
const endpointOf = (port: number): NodeJS.ProcessEnv => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}/api/v1/otlp`,
})

const failedExports = async (daemon: Daemon): Promise<number> =>
  (await daemon.scrape()).get(seriesKey('audit_exporter_push_exports_total', { result: 'failed' })) ?? 0

/** Waits for a whole export that failed from now on. */
async function oneMoreFailure(daemon: Daemon): Promise<void> {
  const before = await failedExports(daemon)
  await until('an export fails', async () => (await failedExports(daemon)) > before + 1 || undefined)
}

/** The names and labels of all series of the exporter, without what differs between scrapes and pushes by design. */
async function seriesOf({ url }: Prometheus): Promise<string[]> {
  const match = `{__name__=~".+",__name__!~"up|scrape_.*|target_info|.*:.*|ALERTS.*"}`
  const response = await fetch(`${url}/api/v1/series?${new URLSearchParams({ 'match[]': match }).toString()}`)
  const { data } = (await response.json()) as { data: Record<string, string>[] }
  return data
    .map(({ __name__: name = '', le, ...labels }) => {
      delete labels['instance']
      if (le !== undefined) labels['le'] = String(Number(le.replace('Inf', 'Infinity')))
      return seriesKey(name, labels)
    })
    .toSorted()
}

test('pushed series are those that were scraped, and every panel has the same figures, whatever is down or killed', async () => {
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  mkdirSync(root)
  const ruleFiles = writeQuickRules(directory)
  const [receiverPort, exporterPort] = [await freePort(), await freePort()]
  const startReceiver = (): Promise<Prometheus> =>
    startPrometheus({
      ...RECEIVER,
      ruleFiles,
      port: receiverPort,
      interval: '1s',
      dataDirectory: path.join(directory, 'data'),
    })
  const startExporter = async (): Promise<Daemon> => {
    const args = ['--listen', `127.0.0.1:${exporterPort}`, '--new-series-hold', '2s', '--scan-interval', '1s']
    const env = {
      ...endpointOf(receiverPort),
      OTEL_METRIC_EXPORT_INTERVAL: '500',
      // The SDK's own retries, which are slower, need more time.
      OTEL_EXPORTER_OTLP_TIMEOUT: '400',
    }
    const daemon = await startDaemon({ roots: [root], state: path.join(directory, 'state'), args, env })
    await daemon.ready()
    return daemon
  }
  let receiver = await startReceiver()
  let exporter = await startExporter()
  const scraping = await startPrometheus({
    generation: '3',
    targets: { [JOB]: exporter.address },
    ruleFiles,
  })
  const writer = createWriter(root)
  const settledOn = (...servers: Prometheus[]): Promise<number> => settled(servers, totalOf({ writer }))

  const fromMs = Date.now()
  writer.build('first', 'one', 'TSC_ERROR')
  await settledOn(scraping, receiver)
  writer.build('second', 'two')
  await settledOn(scraping, receiver)

  // The endpoint is down, and the exporter is killed while lines are written that no export has contained.
  await receiver.stop()
  writer.build('third', 'two', 'JEST_FAILURE')
  await oneMoreFailure(exporter)
  await settledOn(scraping)
  writer.begin('fourth', 'three', 'ESLINT_ERROR')
  await exporter.stop('SIGKILL')
  writer.end('fourth', 'three', 1)
  exporter = await startExporter()
  await oneMoreFailure(exporter)
  await settledOn(scraping)
  receiver = await startReceiver()
  const middleMs = await settledOn(scraping, receiver)

  // Once more while everything is up.
  writer.build('fifth', 'four', 'TSC_ERROR')
  await exporter.stop('SIGKILL')
  exporter = await startExporter()
  writer.build('sixth', 'one')
  writer.build('seventh', 'five', 'TSC_ERROR')
  writer.begin('eighth', 'five')
  await settledOn(scraping, receiver)
  await until(
    'the second half is as long as the first',
    () => Date.now() - middleMs > middleMs - fromMs || undefined,
  )
  const endMs = await settledOn(scraping, receiver)

  const last = await risen(receiver, '1h')
  const total = (name: string): number =>
    last.filter(({ labels }) => labels['__name__'] === name).reduce((sum, { value }) => sum + value, 0)
  const { entries, builds, tokens } = writer.counts
  expect([
    total('audit_entries_total'),
    total('audit_builds_total'),
    total('audit_step_token_cost_sum'),
  ]).toEqual([entries, builds, tokens])
  expect(await seriesOf(receiver)).toEqual(await seriesOf(scraping))

  const queries = queriesOf((endMs - middleMs) / 1000)
  const scraped = await answers(scraping, queries, endMs)
  expect(await answers(receiver, queries, endMs)).toEqual(scraped)
  expect(emptyOf(scraped).filter((name) => !MAY_BE_EMPTY.test(name))).toEqual([])
})

test('of builds with an exporter of their own that only pushes, mostly at its end, nothing is lost', async () => {
  const directory = temporaryDirectory()
  const port = await freePort()
  const receiver = await startPrometheus({ ...RECEIVER, port })
  // As the documentation says, one of them without a first export: its receiver knows nothing of it before the end.
  const args = ['--baseline', 'none', '--close-builds-on-exit', '--linger', '30s']
  const live = async (number: number) => {
    const build = shortBuild(number, 20_000)
    const pod = path.join(directory, build.name)
    const root = path.join(pod, 'builds')
    mkdirSync(root, { recursive: true })
    const env = { ...endpointOf(port), ...(number % 2 === 1 && { OTEL_METRIC_EXPORT_INTERVAL: '5000' }) }
    const exporter = await startDaemon({ roots: [root], state: path.join(pod, 'state'), args, env })
    await exporter.ready()
    const lines = await writeBuild(root, build)
    await wait(1_000)
    exporter.child.kill('SIGTERM')
    await once(exporter.child, 'close')
    return { build, lines, exitCode: exporter.child.exitCode, log: exporter.log() }
  }
  const lives = await Promise.all(Array.from({ length: 8 }, (_, number) => live(number)))

  for (const { log, exitCode, build } of lives)
    expect([build.name, exitCode, log.at(-2)?.['event']]).toEqual([build.name, 0, 'push_flushed'])
  const expected = expectedOf(lives)
  const found = sumsOf(await risen(receiver, '5m'))
  expect([...found.keys()].toSorted()).toEqual([...expected.keys()].toSorted())
  for (const [key, value] of expected) expect(found.get(key), key).toBeCloseTo(value, 6)
  // What the panels and rules ask gives the same.
  const outcomes = await receiver.instant(
    `sum by (outcome) (${exactIncrease({ name: 'audit_builds_total', window: '5m' })})`,
  )
  expect(Object.fromEntries(outcomes.map(({ labels, value }) => [labels['outcome'], value]))).toEqual({
    first_pass: 2,
    after_rework: 2,
    failed: 2,
    abandoned: 2,
  })
})
