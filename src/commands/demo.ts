import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Logger } from '../log.ts'
import { makeDirectory } from '../make-directory.ts'
import type { StatusView } from '../serve/status.ts'
import { writeCorpus } from '../simulate/corpus.ts'
import { CONTEXT_REVISIONS } from '../simulate/profile.ts'
import { TRACE_FILE } from '../simulate/writer.ts'
import type { DemoOptions } from './demo-flags.ts'
import { showFleet } from './demo-fleet.ts'
import type { SimulateOptions } from './simulate-flags.ts'
import { simulate } from './simulate.ts'
import { parseWatchConfig, type WatchConfig } from './watch-flags.ts'
import { watch, type WatchDeps } from './watch.ts'

export interface DemoDeps extends WatchDeps {
  readonly log: Logger
  readonly print: (line: string) => void
  /** Rewrites the last line of a terminal. Absent when standard output is no terminal. */
  readonly rewrite?: ((line: string) => void) | undefined
}

/** Builds of the last days, written before the exporter starts, so that the page shows something at once, verdicts included. */
const HISTORY_BUILDS = 200
const HISTORY_MS = 3 * 86_400_000
const REFRESH_MS = 1_000
/** More than the longest time between two entries of a simulated build, in simulated milliseconds. */
const QUIET_SIMULATED_MS = 360_000

/** One exporter with the builds that it watches. */
interface Member {
  readonly builds: string
  readonly state: string
  readonly listen: DemoOptions['listen']
  readonly seed: string | undefined
}

/** Runs simulators and daemons in one process, on real files, until the signal. */
export async function demo(options: DemoOptions, deps: DemoDeps): Promise<void> {
  if (deps.signal.aborted) return
  deps.log.level = 'warn'
  const directory = options.directory ?? (await mkdtemp(path.join(os.tmpdir(), 'audit-demo-')))
  const members = membersOf(options, directory)
  for (const { builds, seed } of members)
    await writeHistory(builds, deps.clock.wallMs(), seed ?? 'history', options.speed)

  // If one of them fails, the others are stopped.
  const end = new AbortController()
  const signal = AbortSignal.any([deps.signal, end.signal])
  const statuses = new Map<Member, () => StatusView>()
  const urls: string[] = []
  const allListen = Promise.withResolvers<void>()
  const watching = members.map((member) =>
    watch(watchConfig(member, options), {
      ...deps,
      signal,
      onListening(url) {
        urls[members.indexOf(member)] = url
        if (Object.keys(urls).length === members.length) allListen.resolve()
      },
      onReady: (view) => void statuses.set(member, view),
    }),
  )
  const writing = members.map((member) => simulate(simulationOf(member, options), { log: deps.log, signal }))
  const introduce = async (): Promise<void> => {
    await allListen.promise
    if (signal.aborted) return
    deps.print(introduction(urls, path.join(directory, 'builds'), options.speed))
    if (urls.length > 1) await showFleet(urls, { directory, signal, print: deps.print })
  }
  const fleet = introduce()
  const ticker = setInterval(() => {
    if (statuses.size === members.length)
      deps.rewrite?.(summary([...statuses.values()].map((view) => view())))
  }, REFRESH_MS)
  // After `--builds` builds the simulators end. The daemons continue to serve the result.
  const ended = Promise.all(watching)
  try {
    await Promise.race([ended, Promise.all([...writing, fleet])])
    await ended
  } finally {
    clearInterval(ticker)
    end.abort()
    allListen.resolve()
    await Promise.allSettled([...watching, ...writing, fleet])
  }
}

/** With one exporter, traces and state lie in the directory itself, as those of every demo before. */
function membersOf({ exporters, listen, seed }: DemoOptions, directory: string): Member[] {
  if (exporters === 1)
    return [{ builds: path.join(directory, 'builds'), state: path.join(directory, 'state'), listen, seed }]
  return Array.from({ length: exporters }, (_, i) => ({
    builds: path.join(directory, 'builds', String(i + 1)),
    state: path.join(directory, 'state', String(i + 1)),
    listen: { ...listen, port: listen.port === 0 ? 0 : listen.port + i },
    seed: `${seed ?? 'history'}/${i + 1}`,
  }))
}

function watchConfig({ builds, state, listen }: Member, { speed }: DemoOptions): WatchConfig {
  const timeoutMs = Math.ceil(QUIET_SIMULATED_MS / speed) + 5_000
  const config = { roots: [builds], state, buildTimeout: `${timeoutMs}ms`, newSeriesHold: '5s' }
  return { ...parseWatchConfig(config), listen }
}

function simulationOf({ builds, seed }: Member, options: DemoOptions): SimulateOptions {
  const { directory: _, listen: __, exporters, ...simulation } = options
  return {
    ...simulation,
    seed,
    directory: builds,
    parallel: Math.max(1, Math.round(simulation.parallel / exporters)),
    // The history has every revision; the simulation continues with the newest.
    firstContext: CONTEXT_REVISIONS.length - 1,
    buildsPerContext: simulation.buildsPerContext ?? Infinity,
  }
}

/** As fast as the live builds: the exporter's timeout is made for these, and would close slower ones at their pauses. */
async function writeHistory(
  builds: string,
  nowMs: number,
  seed: string | number,
  speed: number,
): Promise<void> {
  const past = path.join(builds, 'last-days')
  const file = path.join(past, TRACE_FILE)
  // A demo in the directory of an earlier one: its history is counted, and must not be counted again.
  if (existsSync(file)) return
  await makeDirectory(past)
  await writeCorpus([file], {
    seed,
    size: { builds: HISTORY_BUILDS },
    startMs: nowMs - HISTORY_MS,
    spanMs: HISTORY_MS - 3_600_000,
    speed,
  })
}

function introduction(urls: readonly string[], builds: string, speed: number): string {
  const [url = ''] = urls
  const exporters =
    urls.length === 1 ? 'the exporter reads them' : `${urls.length} exporters read them, each its own,`
  const more = urls.slice(1).map((other) => `  ${other}/   another exporter\n`)
  return `
Simulated builds, ${speed} times as fast as real ones, write their audit traces below
  ${builds}
and ${exporters} as they grow. Open

  ${url}/          the audits, live
  ${url}/metrics   what Prometheus scrapes
  ${url}/readyz    whether it has caught up
${more.join('')}
With Grafana: docker compose --profile demo up --build, then http://127.0.0.1:3000
Press Ctrl-C to stop. The files stay.
`
}

function summary(views: readonly StatusView[]): string {
  const sum = (of: (view: StatusView) => number): number => views.reduce((total, view) => total + of(view), 0)
  const [first_pass, after_rework, failed, abandoned] = [
    sum(({ builds }) => builds.first_pass),
    sum(({ builds }) => builds.after_rework),
    sum(({ builds }) => builds.failed),
    sum(({ builds }) => builds.abandoned),
  ]
  const closed = first_pass + after_rework + failed + abandoned
  const burnt = sum(({ buildTokens }) => Object.values(buildTokens).reduce((a, b) => a + b, 0))
  const succeeded = first_pass + after_rework
  const perSuccess = succeeded === 0 ? '–' : Math.round(burnt / succeeded).toLocaleString('en')
  // Abandoned builds were never verified.
  const judged = succeeded + failed
  const share = judged === 0 ? '–' : `${Math.round((100 * first_pass) / judged)} %`
  return (
    `Builds: ${closed} closed, ${sum(({ buildsInProgress }) => buildsInProgress)} in progress, ${share} first pass, ` +
    `${perSuccess} tokens per success`
  )
}
