import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { makeDirectory } from '../make-directory.ts'
import type { StatusView } from '../serve/status.ts'
import { writeCorpus } from '../simulate/corpus.ts'
import { CONTEXT_REVISIONS } from '../simulate/profile.ts'
import { TRACE_FILE } from '../simulate/writer.ts'
import type { DemoOptions } from './demo-flags.ts'
import { simulate } from './simulate.ts'
import { parseWatchConfig } from './watch-flags.ts'
import { watch, type WatchDeps } from './watch.ts'

export interface DemoDeps extends WatchDeps {
  readonly print: (line: string) => void
  /** Rewrites the last line of a terminal. Absent when standard output is no terminal. */
  readonly rewrite?: ((line: string) => void) | undefined
}

/** Builds of the last days, written before the exporter starts, so that the page shows something at once. */
const HISTORY_BUILDS = 60
const HISTORY_MS = 3 * 86_400_000
const REFRESH_MS = 1_000
/** More than the longest time between two entries of a simulated build, in simulated milliseconds. */
const QUIET_SIMULATED_MS = 360_000

/** Runs the simulator and the daemon in one process, on real files, until the signal. */
export async function demo(options: DemoOptions, deps: DemoDeps): Promise<void> {
  const { directory: given, listen, ...simulation } = options
  if (deps.signal.aborted) return
  deps.log.level = 'warn'
  const directory = given ?? (await mkdtemp(path.join(os.tmpdir(), 'audit-demo-')))
  const builds = path.join(directory, 'builds')
  await writeHistory(builds, deps.clock.wallMs(), simulation.seed ?? 'history')
  const timeoutMs = Math.ceil(QUIET_SIMULATED_MS / simulation.speed) + 5_000
  const watched = parseWatchConfig({
    roots: [builds],
    state: path.join(directory, 'state'),
    buildTimeout: `${timeoutMs}ms`,
    newSeriesHold: '5s',
  })

  // If one of the two fails, the other is stopped.
  const end = new AbortController()
  const signal = AbortSignal.any([deps.signal, end.signal])
  let status: (() => StatusView) | undefined
  const watching = watch(
    { ...watched, listen },
    {
      ...deps,
      signal,
      onListening(url) {
        deps.print(introduction(url, builds, simulation.speed))
      },
      onReady(view) {
        status = view
      },
    },
  )
  const writing = simulate(
    {
      ...simulation,
      directory: builds,
      // The history has every revision; the simulation continues with the newest.
      firstContext: CONTEXT_REVISIONS.length - 1,
      buildsPerContext: simulation.buildsPerContext ?? Infinity,
    },
    { log: deps.log, signal },
  )
  const ticker = setInterval(() => {
    if (status !== undefined) deps.rewrite?.(summary(status()))
  }, REFRESH_MS)
  try {
    await Promise.race([watching, writing])
    // After `--builds` builds the simulator ends. The daemon continues to serve the result.
    await watching
  } finally {
    clearInterval(ticker)
    end.abort()
    await Promise.allSettled([watching, writing])
  }
}

async function writeHistory(builds: string, nowMs: number, seed: string | number): Promise<void> {
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
  })
}

const introduction = (url: string, builds: string, speed: number): string => `
Simulated builds, ${speed} times as fast as real ones, write their audit traces below
  ${builds}
and the exporter reads them as they grow. Open

  ${url}/          the audits, live
  ${url}/metrics   what Prometheus scrapes
  ${url}/readyz    whether it has caught up

With Grafana: docker compose --profile demo up --build, then http://127.0.0.1:3000
Press Ctrl-C to stop. The files stay.
`

function summary(view: StatusView): string {
  const { first_pass, after_rework, failed, abandoned } = view.builds
  const closed = first_pass + after_rework + failed + abandoned
  const burnt = Object.values(view.buildTokens).reduce((a, b) => a + b, 0)
  const succeeded = first_pass + after_rework
  const perSuccess = succeeded === 0 ? '–' : Math.round(burnt / succeeded).toLocaleString('en')
  // Abandoned builds were never verified.
  const judged = succeeded + failed
  const share = judged === 0 ? '–' : `${Math.round((100 * first_pass) / judged)} %`
  return (
    `Builds: ${closed} closed, ${view.buildsInProgress} in progress, ${share} first pass, ` +
    `${perSuccess} tokens per success`
  )
}
