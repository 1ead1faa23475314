import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { stringify } from 'yaml'
import { type Generation, requireGeneration } from './generations.ts'
import { freePort } from './free-port.ts'
import { start, until } from './process.ts'

export interface PrometheusOptions {
  /** Default: 2, which needs no build. */
  readonly generation?: Generation
  /** `host:port` by job name. */
  readonly targets: Readonly<Record<string, string>>
  /** A job whose targets come and go: see `writeTargets`. */
  readonly discovery?: { readonly job: string; readonly file: string }
  /** Scrape interval and rule evaluation interval. */
  readonly interval?: string
  readonly ruleFiles?: readonly string[]
  /** `host:port` */
  readonly alertmanager?: string
  /** Receivers of what it stores, in the form of its configuration. */
  readonly remoteWrite?: readonly object[]
  /** A directory with data, such as imported blocks. Default: a new directory, deleted at the end. */
  readonly dataDirectory?: string
  /** Default: a free one. */
  readonly port?: number
  readonly args?: readonly string[]
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
  readonly timeMs: number
}

export interface Range {
  readonly labels: Readonly<Record<string, string>>
  readonly values: readonly (readonly [timeMs: number, value: number])[]
}

export interface Prometheus {
  readonly url: string
  instant(query: string, timeMs?: number): Promise<Sample[]>
  range(query: string, fromMs: number, toMs: number, stepSeconds: number): Promise<Range[]>
  /** Sends a GET to the HTTP API and returns its `data`. */
  api<T>(pathAndQuery: string): Promise<T>
  stop(): Promise<void>
}

/** Writes the targets (`host:port`) of a job with discovery; Prometheus notices the change. */
export function writeTargets(file: string, targets: readonly string[]): void {
  // A rename: Prometheus must not read half of it.
  writeFileSync(`${file}.new`, JSON.stringify([{ targets }]))
  renameSync(`${file}.new`, file)
}

type Raw = { metric: Record<string, string>; value: [number, string]; values: [number, string][] }

/** Starts a real Prometheus on a free port; resolves after a first successful scrape of every target, else rejects. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const program = await requireGeneration(options.generation ?? '2', 'prometheus')
  const directory = mkdtempSync(path.join(tmpdir(), 'prometheus-'))
  const config = path.join(directory, 'prometheus.yml')
  writeFileSync(config, stringify(configuration(options)))
  const port = options.port ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const running = start(program, [
    `--config.file=${config}`,
    `--storage.tsdb.path=${options.dataDirectory ?? path.join(directory, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
    ...(options.args ?? []),
  ])

  async function api<T>(pathAndQuery: string): Promise<T> {
    const response = await fetch(`${url}/api/v1/${pathAndQuery}`)
    const answer = (await response.json()) as { status: string; data: T; error?: string }
    if (answer.status !== 'success') throw new Error(`Prometheus, ${pathAndQuery}: ${answer.error ?? ''}`)
    return answer.data
  }
  const query = (kind: string, parameters: Record<string, string>) =>
    api<{ result: Raw[] }>(`${kind}?${new URLSearchParams(parameters).toString()}`)

  const prometheus: Prometheus = {
    url,
    api,
    async instant(text, timeMs) {
      const time = timeMs === undefined ? {} : { time: String(timeMs / 1000) }
      const { result } = await query('query', { query: text, ...time })
      return result.map(({ metric, value: [seconds, value] }) => ({
        labels: metric,
        value: Number(value),
        timeMs: seconds * 1000,
      }))
    },
    async range(text, fromMs, toMs, stepSeconds) {
      const times = { start: String(fromMs / 1000), end: String(toMs / 1000), step: String(stepSeconds) }
      const { result } = await query('query_range', { query: text, ...times })
      return result.map(({ metric, values }) => ({
        labels: metric,
        values: values.map(([seconds, value]) => [seconds * 1000, Number(value)] as const),
      }))
    },
    async stop() {
      await running.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }

  try {
    await until('Prometheus is ready', async () => (await fetch(`${url}/-/ready`)).ok || undefined, {
      detail: running.output,
    })
    const wanted = Object.keys(options.targets).length + discovered(options)
    // It may take 5 s until the first scrape: target updates are throttled.
    await until('a first sample of each target', async () => (await scraped()) >= wanted || undefined, {
      detail: running.output,
    })
  } catch (error) {
    await prometheus.stop()
    throw error
  }
  return prometheus

  async function scraped(): Promise<number> {
    return (await prometheus.instant('count(up == 1)'))[0]?.value ?? 0
  }
}

const discovered = ({ discovery }: PrometheusOptions): number =>
  discovery === undefined
    ? 0
    : (JSON.parse(readFileSync(discovery.file, 'utf8')) as { targets: string[] }[]).flatMap(
        ({ targets }) => targets,
      ).length

function configuration(options: PrometheusOptions): object {
  const interval = options.interval ?? '1s'
  return {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    scrape_configs: [
      ...Object.entries(options.targets).map(([job, target]) => ({
        job_name: job,
        static_configs: [{ targets: [target] }],
      })),
      ...(options.discovery === undefined
        ? []
        : [
            {
              job_name: options.discovery.job,
              file_sd_configs: [{ files: [options.discovery.file], refresh_interval: '1s' }],
            },
          ]),
    ],
    ...(options.ruleFiles === undefined
      ? {}
      : { rule_files: options.ruleFiles.map((file) => path.resolve(file)) }),
    ...(options.remoteWrite === undefined ? {} : { remote_write: options.remoteWrite }),
    ...(options.alertmanager === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: [{ targets: [options.alertmanager] }] }] } }),
  }
}
