import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import { COLD_AFTER_MS, createEngine, type Engine } from '../engine.ts'
import { readPriceList } from '../config/prices.ts'
import type { Events } from '../events.ts'
import { createLogEvents, type Log } from '../log.ts'
import { CONTENT_TYPE } from '../metrics/exposition.ts'
import type { Push } from '../push/push.ts'
import type { PushSettings } from '../push/settings.ts'
import { createRowsMetric, createSelfMetrics, type ProcessUsage, type SelfMetrics } from '../metrics/self.ts'
import { totalsOf } from '../metrics/totals.ts'
import { createHttpServer, type HttpServer } from '../serve/server.ts'
import type { StatusView } from '../serve/status.ts'
import type { WebConfig } from '../serve/web-config.ts'
import { openStore, type Store } from '../state/store.ts'
import { nodeFileSystem, type FileSystem } from '../tail/file-system.ts'
import { createHints, noHints } from '../tail/hints.ts'
import { createWaker, runLoop, type Waker } from '../tail/loop.ts'
import { createReadRequests, type ReadRequests } from '../tail/read-requests.ts'
import { openFilesBudget, openFilesLimit } from '../tail/open-files.ts'
import { createBuildViews, type ViewBuild } from './watch-builds.ts'
import { createPageDrawing } from './watch-drawing.ts'
import { endWatch, hasEnding } from './watch-ending.ts'
import type { WatchConfig } from './watch-flags.ts'
import { warnOfLimit, warnOfWatchLimit } from './watch-limits.ts'
import { createRescanRequests, type RescanRequests } from './watch-rescan.ts'
import { createRowsWriter, hasRows, requireRows, type RowsConfig, type RowsWriter } from './watch-rows.ts'
import { createStatus, type Status } from './watch-status.ts'
import { createStop, orStopped, within } from './watch-stop.ts'

export interface WatchDeps {
  readonly log: Log
  readonly clock: Clock
  readonly usage: ProcessUsage
  readonly version: string
  /** Stops reading, commits, closes. The reason may be the name of a signal. */
  readonly signal: AbortSignal
  /** Where the metrics are pushed. Absent: they are scraped only. */
  readonly push?: PushSettings | undefined
  /** Each `rescan` event requests a scan of everything below the roots. */
  readonly rescan?: EventTarget
  /** Called once the server listens. */
  readonly onListening?: (url: string) => void
  /** Called once the first pass is done. */
  readonly onReady?: (status: () => StatusView) => void
  /** Replace the real ones; tests inject faults here. */
  readonly openStore?: typeof openStore
  readonly fs?: FileSystem
}

const POLL_MS = 1_000
const RENEW_HINTS_MS = 15 * 60_000
const RETRY_MS = 1_000
/** What was appended right before a scrape is read within a few milliseconds, unless much else is to be read. */
const READ_FOR_SCRAPE_MS = 20
/** Within the 30 s that Kubernetes gives a pod to end. */
const LAST_ROWS_MS = 20_000

/**
 * The daemon: reads the files below the roots as they grow and serves their totals, until the signal.
 * Throws a `StateError` if the state cannot be opened, and an error that names the address if it cannot listen there.
 */
export async function watch(config: WatchConfig, deps: WatchDeps): Promise<void> {
  const { log, clock, signal } = deps
  if (signal.aborted) {
    log.info({ event: 'stopped' }, 'Stopped before the start.')
    return
  }
  const web = await readWeb(config)
  const priceList = await readPriceList(config.prices)
  if (hasRows(config)) await requireRows(config.rows)
  const store = (deps.openStore ?? openStore)(config.state, clock.wallMs())
  logOrigin(log, store, config.state)
  let self: SelfMetrics | undefined
  const events = createLogEvents(log, () => self, clock)
  const waker = createWaker()
  const readRequests = createReadRequests(() => waker.hurry(), signal)
  const stop = createStop(config, deps)
  const rescan = createRescanRequests(deps, waker)
  const { maxOpenFiles, tightLimit } = openFilesBudget(openFilesLimit())
  if (tightLimit !== undefined) warnOfLimit(log, tightLimit, maxOpenFiles)
  const prepared = await loadPush(deps, store)
  const engine = createEngine(
    { ...config, priceList },
    {
      store,
      pushResource: prepared?.resource,
      maxOpenFiles,
      fs: deps.fs ?? nodeFileSystem,
      clock,
      events,
      waitToRetry: () => pause(RETRY_MS),
      stopped: () => stop.stopped(),
      onCommit: (seconds) => self?.committed(seconds),
    },
  )
  const status = createStatus({
    version: deps.version,
    startedAtMs: clock.wallMs(),
    clock,
    engine,
    stateBytes: () => store.sizeBytes(),
  })
  self = createSelfMetrics(engine.exposition.meter, () => status.health(), deps.usage)

  const push = prepared?.connect(engine, (error) => logSelfFault(log, error))
  const viewBuild = createBuildViews({ engine, fs: deps.fs ?? nodeFileSystem, clock, phase: config.phase })
  const server = createServer(web, { engine, status, viewBuild, readRequests, log })
  const rows = hasRows(config) ? rowsWriterOf(config, log, engine) : undefined

  try {
    const { host, port } = await server.listen(config.listen.host, config.listen.port)
    const scheme = web?.tls === undefined ? 'http' : 'https'
    const url = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
    log.info(
      { event: 'listening', url, state: config.state, roots: config.roots },
      `Listening on ${url}/metrics, state in ${config.state}.`,
    )
    deps.onListening?.(url)

    const hasEnded = await orStopped(
      readUntilStopped(config, deps, { engine, status, events, waker, readRequests, rescan, push }),
      signal,
    )
    const lastRows = rows?.end(LAST_ROWS_MS)
    // Work that was left behind may still read.
    if (hasEnded && (push !== undefined || hasEnding(config)))
      await within(
        stop.leftMs() + 1_000,
        endWatch(config, { engine, log, clock, waker, push, deadlines: stop.end() }),
      )
    await lastRows
  } finally {
    rows?.close()
    push?.close()
    await server.close()
    await orStopped(engine.tail.close(), signal)
    // Offsets and counts agree at every await, so this is safe even while a read is still pending.
    const durable = engine.commits.commit()
    await engine.exposition.close()
    store.close()
    rescan.close()
    events.close()
    if (durable) log.info({ event: 'stopped' }, 'Stopped. Everything that was read is committed.')
  }
}

const rowsWriterOf = (config: RowsConfig, log: Log, { ledger, exposition }: Engine): RowsWriter =>
  createRowsWriter(config, {
    log,
    readBytes: () => totalsOf(ledger, 'readBytes').get('')?.value ?? 0,
    onFailure: createRowsMetric(exposition.meter),
  })

async function readWeb({ webConfig }: WatchConfig): Promise<WebConfig | undefined> {
  if (webConfig === undefined) return undefined
  const { readWebConfig } = await import('../serve/web-config.ts')
  return readWebConfig(webConfig)
}

/** An exporter that is only scraped does not load the code of pushes. */
async function loadPush(deps: WatchDeps, { origin }: Store) {
  if (deps.push === undefined) return undefined
  const { preparePush } = await import('./watch-push.ts')
  return preparePush(deps.push, { ...deps, ...origin })
}

/** A state that is new where one was expected means that totals start again: the first line of every log tells. */
function logOrigin(log: Log, { origin }: Store, directory: string): void {
  const { isNew, createdMs } = origin
  const since = createdMs === undefined ? undefined : new Date(createdMs).toISOString()
  if (isNew) log.info({ event: 'state_new', state: directory }, `New state in ${directory}.`)
  else {
    const text = since === undefined ? 'since an earlier version' : `since ${since}`
    log.info(
      { event: 'state_continued', state: directory, since },
      `Continuing the state in ${directory}, ${text}.`,
    )
  }
}

interface ServerParts {
  readonly engine: Engine
  readonly status: Status
  readonly viewBuild: ViewBuild
  readonly readRequests: ReadRequests
  readonly log: Log
}

function createServer(
  web: WebConfig | undefined,
  { engine, status, viewBuild, readRequests, log }: ServerParts,
): HttpServer {
  return createHttpServer({
    web,
    status: () => status.view(),
    draw: createPageDrawing(engine),
    build: viewBuild,
    notReadyReason: () => status.notReadyReason(),
    noScrapeReason: () => status.noScrapeReason(),
    onRequestError: (error, path) =>
      log.error(
        { event: 'request_failed', path, cause: String(error) },
        `Failed to answer a request of ${path}: ${String(error)}`,
      ),
    async scrape() {
      await readRequests.ask(READ_FOR_SCRAPE_MS)
      const { body, sent, selfFaults } = await engine.exposition.scrape()
      for (const error of selfFaults) logSelfFault(log, error)
      return { contentType: CONTENT_TYPE, body, sent }
    },
  })
}

function logSelfFault(log: Log, error: unknown): void {
  log.error(
    { event: 'self_metric_failed', cause: String(error) },
    `Failed to collect a metric of the exporter itself: ${String(error)}`,
  )
}

interface ReadParts {
  readonly engine: Engine
  readonly status: Status
  readonly events: Events
  readonly waker: Waker
  readonly readRequests: ReadRequests
  readonly rescan: RescanRequests
  readonly push: Push | undefined
}

/** The first pass over all files, then the loop that follows them. */
async function readUntilStopped(
  config: WatchConfig,
  { clock, log, signal, onReady }: WatchDeps,
  { engine, status, events, waker, readRequests, rescan, push }: ReadParts,
): Promise<void> {
  const hints = config.poll
    ? noHints
    : createHints({
        roots: config.roots,
        fileName: config.fileName,
        coldAfterMs: COLD_AFTER_MS,
        nowMs: () => clock.wallMs(),
        wake: () => waker.wake(),
        onError: (error) => events.fileFailed(config.roots.join(', '), 'watch', error),
        onWatchLimit: (error) => warnOfWatchLimit(log, error, config.scanInterval),
      })
  try {
    await engine.firstPass(hints.ready)
    if (signal.aborted) return
    push?.begin()
    onReady?.(() => status.view())
    await runLoop(
      {
        tail: engine.tail,
        clock,
        waker,
        signal,
        hints,
        readRequests,
        rescanRequested: () => rescan.take(),
        afterRound: (round) => engine.afterRound(round),
      },
      {
        pollMs: POLL_MS,
        scanMs: config.poll ? POLL_MS : config.scanInterval,
        renewHintsMs: RENEW_HINTS_MS,
      },
    )
  } finally {
    await hints.close()
  }
}
