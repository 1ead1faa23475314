/**
 * What a fleet costs: Prometheus scrapes simulated pods, each a sidecar beside one build, and sends what it has to two other
 * Prometheus: what the dashboards read, and only sums (prometheus/fleet). From that, a month of many builds.
 *
 *   npm run bench:fleet -- [--pods 500] [--minutes 20] [--interval 30] [--lives 16] [--builds 10000] [--days 3]
 *
 * The pods serve what real exporters served during --lives simulated builds, recorded at the start at twenty times their speed, and
 * live as long as these. Two things are thinned: the interval (the sidecar's PodMonitor has 10 s; only samples depend on it), and of the
 * month of sums --days days are written. Needs Go, for Prometheus 3.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { findProgram } from '../test/setup/find-program.ts'
import { buildGoProgram, type GoProgram } from '../test/setup/go-build.ts'
import { recordLives } from './fleet/lives.ts'
import { measureSums } from './fleet/month.ts'
import { servePods } from './fleet/pods.ts'
import { startServer, type Server } from './fleet/server.ts'

const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '500' },
    minutes: { type: 'string', default: '20' },
    interval: { type: 'string', default: '30' },
    lives: { type: 'string', default: '16' },
    builds: { type: 'string', default: '10000' },
    days: { type: 'string', default: '3' },
  },
})
const MONTH_DAYS = 30
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
const PROMETHEUS = path.resolve(import.meta.dirname, '../prometheus')

const program = (name: GoProgram): Promise<string> =>
  buildGoProgram(name, () => {
    const go = findProgram('go')
    if (go === undefined) throw new Error('needs Go, which is not on PATH')
    return go
  })
const prometheus = await program('prometheus')
const promtool = await program('promtool')
const directory = mkdtempSync(path.join(os.tmpdir(), 'audit-bench-fleet-'))

const lives = await recordLives(Number(values.lives))
const seconds = lives.map(({ durationMs }) => durationMs / 1000)
const samplesOf = (body: string): number => body.split('\n').filter((line) => /^[^#]/u.test(line)).length
const samples = lives.map(({ served }) => samplesOf(served.at(-1)?.body ?? ''))
const mean = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0) / numbers.length
console.log(
  `${values.lives} recorded lives: ${mean(seconds).toFixed(0)} s and ${mean(samples).toFixed(0)} samples in the last scrape, on average`,
)

const pods = await servePods(lives, Number(values.pods))
const targets = path.join(directory, 'targets.json')
pods.writeTargets(targets)
const remoteWrite = (name: string, { url }: Server): object[] =>
  (
    parse(readFileSync(path.join(PROMETHEUS, 'fleet', name), 'utf8')) as { remote_write: object[] }
  ).remote_write.map((to) => ({ ...to, url: `${url}/api/v1/write` }))
const panels = await startServer(prometheus, path.join(directory, 'panels'), {})
const sums = await startServer(prometheus, path.join(directory, 'sums'), {})
const source = await startServer(prometheus, path.join(directory, 'source'), {
  global: { scrape_interval: `${values.interval}s`, evaluation_interval: '1m' },
  rule_files: [path.join(PROMETHEUS, 'rules/*.yml'), path.join(PROMETHEUS, 'fleet/rules.yml')],
  scrape_configs: [
    {
      job_name: 'audit-trace-exporter-sidecar',
      file_sd_configs: [{ files: [targets], refresh_interval: '5s' }],
    },
  ],
  remote_write: [
    ...remoteWrite('remote-write-panels.yml', panels),
    ...remoteWrite('remote-write-sums.yml', sums),
  ],
})
const servers = { source, panels, sums }
process.once('SIGTERM', () => process.exit(1))
process.once('SIGINT', () => process.exit(1))
try {
  const endMs = performance.now() + Number(values.minutes) * 60_000
  while (performance.now() < endMs) {
    pods.writeTargets(targets)
    await wait(2_000)
  }
  await print()
} finally {
  pods.stop()
  await Promise.all(Object.values(servers).map((server) => server.stop()))
  rmSync(directory, { recursive: true })
}

async function print(): Promise<void> {
  const builds = pods.scraped()
  const duration = Number(values.minutes) * 60
  const month = Number(values.builds) * MONTH_DAYS
  console.log(
    `${values.minutes} minutes, ${values.pods} pods at a time, ${builds} builds, a scrape every ${values.interval} s`,
  )
  console.log(
    '| | series | for each build | samples/s | CPU | memory | block | a month of builds: series | disk |',
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |')
  for (const [name, server] of Object.entries(servers)) {
    const measured = await server.measure()
    const bytes = await server.blockBytes()
    const ofMonth =
      name === 'sums'
        ? await measureSums(server, promtool, directory, Number(values.days)).then((sums) => ({
            series: sums.series,
            bytes: (sums.bytes * MONTH_DAYS) / Number(values.days),
          }))
        : { series: (measured.seriesCreated / builds) * month, bytes: (bytes / builds) * month }
    const cells = [
      name,
      measured.seriesCreated,
      (measured.seriesCreated / builds).toFixed(1),
      (measured.samples / duration).toFixed(0),
      `${((100 * measured.cpuSeconds) / duration).toFixed(1)} %`,
      megabytes(measured.memoryBytes),
      megabytes(bytes),
      (ofMonth.series / 1e6).toFixed(3) + ' million',
      megabytes(ofMonth.bytes),
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
}
