import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { systemClock } from '../../src/simulate/clock.ts'
import { CONTEXT_REVISIONS, DEFAULT_PROFILE } from '../../src/simulate/profile.ts'
import { writeBuilds } from '../../src/simulate/writer.ts'
import { startAlertmanager, type Alertmanager, type Notified } from '../setup/alertmanager.ts'
import { startDaemon } from '../setup/daemon.ts'
import { GENERATIONS, type Generation, requireGeneration } from '../setup/generations.ts'
import { until } from '../setup/process.ts'
import { startPrometheus, type Prometheus } from '../setup/prometheus.ts'
import { judgedBuilds, type Line, readLines } from './independent-count.ts'
import type { View } from './panel-queries.ts'

const RULES = path.resolve(import.meta.dirname, '../../prometheus/rules')

/** Rules with seconds in place of hours and days; expressions, thresholds and names stay the same. */
function hurried(text: string): string {
  const seconds: Readonly<Record<string, string>> = {
    '1m': '1s',
    '2m': '1s',
    '5m': '1s',
    '10m': '2s',
    '15m': '3s',
    '30m': '5s',
    '1h': '8s',
    '6h': '12s',
    '1d': '20s',
    '7d': '90s',
    '30d': '10m',
    // Sums of two of them, in the order of prometheus/recording.ts.
    '2h': '16s',
    '7h': '20s',
    '25h': '28s',
    '174h': '102s',
    '169h': '98s',
    '8d': '110s',
    '721h': '608s',
  }
  return text.replaceAll(
    /(\[|offset |for: |interval: )(\d+[mhd])\b/g,
    (_, before: string, duration: string) => before + (seconds[duration] ?? duration),
  )
}

/** The revision before the change, and the one after: it halves the type errors, all else is equal. */
export const REVISION_BEFORE = {
  ...CONTEXT_REVISIONS[0]!,
  errorRates: { TSC_ERROR: 0.5, JEST_FAILURE: 0.06 },
}
export const REVISION_AFTER = {
  ...CONTEXT_REVISIONS[1]!,
  errorRates: { TSC_ERROR: 0.25, JEST_FAILURE: 0.06 },
}
/** Fixes take this many times as many tokens in the last builds. */
const SPIKE = 6
const MOST_SPIKE_PARTS = 20

/** Whether a notification says that the cost of rework is too high. */
export const spikes = ({ labels, status }: Notified): boolean =>
  labels['alertname'] === 'AuditReworkCostSpike' && status === 'firing'

export interface Server extends View {
  readonly prometheus: Prometheus
  readonly alertmanager: Alertmanager
}

export interface Stack {
  /** All entries that were written. */
  readonly lines: readonly Line[]
  readonly spikeStartMs: number
  readonly servers: ReadonlyMap<Generation, Server>
  stop(): Promise<void>
}

/**
 * Starts the real exporter over simulated builds, with a Prometheus of each generation that scrapes it, and an
 * Alertmanager for each. Resolves when every Prometheus has everything.
 */
export async function startStack(): Promise<Stack> {
  const directory = mkdtempSync(path.join(tmpdir(), 'dashboards-'))
  const stops: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })]
  const stop = async (): Promise<void> => {
    for (const step of stops.splice(0).toReversed()) await step()
  }
  try {
    return { ...(await started(directory, stops)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function started(directory: string, stops: (() => unknown)[]): Promise<Omit<Stack, 'stop'>> {
  for (const generation of GENERATIONS) await requireGeneration(generation, 'prometheus')
  const builds = path.join(directory, 'builds')
  const daemon = await startDaemon({
    roots: [builds],
    state: path.join(directory, 'state'),
    args: [
      '--new-series-hold=3s',
      '--build-timeout=6s',
      '--scan-interval=1s',
      '--project-from-path=/(?<project>[a-z-]+)-[^/]*/audit_trace',
    ],
  })
  stops.push(() => daemon.stop())
  await daemon.ready()
  const running = new Map<Generation, Omit<Server, keyof View>>()
  for (const generation of GENERATIONS)
    running.set(generation, await startServer(generation, daemon.address, directory, stops))

  const fromMs = Date.now()
  await write(builds, { seed: 'before', count: 140, speed: 500, context: REVISION_BEFORE })
  await write(builds, { seed: 'after', count: 140, speed: 500, context: REVISION_AFTER })
  const spikeStartMs = Date.now()
  // Until it is noticed: on a slow machine, a spike of fixed length can be over before the rules are evaluated.
  const noticed = (): boolean =>
    [...running.values()].every(({ alertmanager }) => alertmanager.notified.some(spikes))
  for (let part = 0; part === 0 || (part < MOST_SPIKE_PARTS && !noticed()); part++) {
    const count = part === 0 ? 160 : 40
    await write(builds, { seed: `spike-${part}`, count, speed: 250, context: REVISION_AFTER, factor: SPIKE })
  }

  const lines = readLines(builds)
  const servers = new Map<Generation, Server>()
  for (const [generation, server] of running) {
    const nowMs = await complete(server.prometheus, lines)
    servers.set(generation, { ...server, url: server.prometheus.url, fromMs, nowMs })
  }
  return { lines, spikeStartMs, servers }
}

async function startServer(
  generation: Generation,
  target: string,
  directory: string,
  stops: (() => unknown)[],
): Promise<Omit<Server, keyof View>> {
  const alertmanager = await startAlertmanager()
  stops.push(alertmanager.stop)
  const ruleFiles = ['revisions.yml', 'lives.yml', 'recording.yml', 'alerts.yml'].map((name) => {
    const file = path.join(directory, name)
    const text = readFileSync(path.join(RULES, name), 'utf8')
    // Panels have the durations of lives.yml in their queries.
    writeFileSync(
      file,
      name === 'lives.yml' ? text.replaceAll('interval: 1m', 'interval: 5s') : hurried(text),
    )
    return file
  })
  const prometheus = await startPrometheus({
    generation,
    targets: { 'audit-trace-exporter': target },
    alertmanager: alertmanager.address,
    ruleFiles,
  })
  stops.push(prometheus.stop)
  return { prometheus, alertmanager }
}

interface Builds {
  readonly seed: string
  readonly count: number
  readonly speed: number
  readonly context: typeof REVISION_BEFORE
  readonly factor?: number
}

const write = (directory: string, { seed, count, speed, context, factor = 1 }: Builds): Promise<unknown> =>
  writeBuilds(
    {
      directory,
      builds: count,
      parallel: 12,
      speed,
      seed,
      tornWriteShare: 0,
      keep: Infinity,
      contexts: [context],
      buildsPerContext: count,
      profile: { ...DEFAULT_PROFILE, ...(factor > 1 && { spike: { fromMs: 0, factor } }) },
    },
    { clock: systemClock, signal: new AbortController().signal },
  )

/** Waits until Prometheus has every entry and build; the time of its last scrape, in Unix milliseconds. */
async function complete(prometheus: Prometheus, lines: readonly Line[]): Promise<number> {
  await until('every build is closed and every entry has reached Prometheus', async () => {
    const [entries] = await prometheus.instant('sum(audit_entries_total)')
    const [open] = await prometheus.instant('audit_builds_in_progress')
    return (entries?.value === lines.length && open?.value === 0) || undefined
  })
  await until('the recording rules include them', async () => {
    const [judged] = await prometheus.instant('sum(context_hash:builds_judged:increase30d)')
    return (judged !== undefined && judged.value >= judgedBuilds(lines).length) || undefined
  })
  // At the time of a scrape increase() has nothing to extrapolate, and every series was born at zero.
  const [last] = await prometheus.instant('timestamp(audit_builds_in_progress)')
  return last!.value * 1000
}
