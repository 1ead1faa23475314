import type { Clock } from '../clock.ts'
import { COLD_AFTER_MS, createEngine } from '../engine.ts'
import { createLogEvents, type Logger } from '../log.ts'
import { CONTENT_TYPE } from '../metrics/exposition.ts'
import { createSelfMetrics, type ProcessUsage, type SelfMetrics } from '../metrics/self.ts'
import { createHttpServer } from '../serve/server.ts'
import type { StatusView } from '../serve/status.ts'
import { readWebConfig } from '../serve/web-config.ts'
import { openStore } from '../state/store.ts'
import { nodeFileSystem, type FileSystem } from '../tail/file-system.ts'
import { createHints, noHints, type Hints } from '../tail/hints.ts'
import { createWaker, runLoop } from '../tail/loop.ts'
import { createPageCharts } from './watch-charts.ts'
import type { WatchConfig } from './watch-flags.ts'
import { createStatus } from './watch-status.ts'

export interface WatchDeps {
  readonly log: Logger
  readonly clock: Clock
  readonly usage: ProcessUsage
  readonly version: string
  /** Stops reading, commits, closes. */
  readonly signal: AbortSignal
  /** Told once the server listens. */
  readonly onListening?: (url: string) => void
  /** Told once everything that stood in the files is read. */
  readonly onReady?: (status: () => StatusView) => void
  /** In place of the real ones; faults come in here. */
  readonly openStore?: typeof openStore
  readonly fs?: FileSystem
}

const POLL_MS = 1_000
const RENEW_HINTS_MS = 15 * 60_000
const RETRY_MS = 1_000
/** A file system that does not answer must not keep the end waiting: with the server's part, below five seconds. */
const STOP_PATIENCE_MS = 2_500

/**
 * The daemon: reads the files below the roots as they grow and serves their totals, until the signal.
 * Throws a `StateError` where the state cannot be used, and what listening throws where the address cannot.
 */
export async function watch(config: WatchConfig, deps: WatchDeps): Promise<void> {
  const { log, clock, signal } = deps
  const web = config.webConfig === undefined ? undefined : readWebConfig(config.webConfig)
  const store = (deps.openStore ?? openStore)(config.state)
  let self: SelfMetrics | undefined
  const events = createLogEvents(log, () => self, clock)
  const waker = createWaker()
  const engine = createEngine(config, {
    store,
    fs: deps.fs ?? nodeFileSystem,
    clock,
    events,
    waitToRetry: () => waker.rest(RETRY_MS),
    stopped: () => signal.aborted,
    onCommit: (seconds) => self?.committed(seconds),
  })
  const status = createStatus({
    version: deps.version,
    startedAtMs: clock.wallMs(),
    clock,
    engine,
    stateBytes: () => store.sizeBytes(),
  })
  self = createSelfMetrics(engine.exposition.meter, () => status.health(), deps.usage)

  const server = createHttpServer({
    web,
    status: () => status.view(),
    charts: createPageCharts(),
    notReadyReason: () => status.notReadyReason(),
    noScrapeReason: () => status.noScrapeReason(),
    onRequestError: (error, path) =>
      log.error(
        { event: 'request_failed', path, cause: String(error) },
        `cannot answer ${path}: ${String(error)}`,
      ),
    async scrape() {
      const { body, sent, selfFaults } = await engine.exposition.scrape()
      for (const error of selfFaults) {
        log.error(
          { event: 'self_metric_failed', cause: String(error) },
          `cannot tell a metric of the exporter itself: ${String(error)}`,
        )
      }
      return { contentType: CONTENT_TYPE, body, sent }
    },
  })

  const startHints = (onHint: (path: string) => void): Hints =>
    config.poll
      ? noHints
      : createHints({
          roots: config.roots,
          fileName: config.fileName,
          coldAfterMs: COLD_AFTER_MS,
          nowMs: () => clock.wallMs(),
          onHint,
          onError: (error) => events.fileFailed(config.roots.join(', '), 'watch', error),
        })

  async function read(): Promise<void> {
    await engine.firstPass()
    if (signal.aborted) return
    deps.onReady?.(() => status.view())
    await runLoop(
      {
        tail: engine.tail,
        clock,
        waker,
        signal,
        startHints,
        afterRound: (round) => engine.afterRound(round),
      },
      {
        pollMs: POLL_MS,
        scanMs: config.poll ? POLL_MS : config.scanInterval,
        renewHintsMs: RENEW_HINTS_MS,
      },
    )
  }

  try {
    const { host, port } = await server.listen(config.listen.host, config.listen.port)
    const url = `${web?.tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
    log.info(
      { event: 'listening', url, state: config.state, roots: config.roots },
      `listening on ${url}/metrics, state in ${config.state}`,
    )
    deps.onListening?.(url)

    await orStopped(read(), signal)
  } finally {
    await server.close()
    await orStopped(engine.tail.close(), signal)
    // Between two waits positions and counts are always in step, also where reading still hangs in one.
    const durable = engine.commits.commit()
    await engine.exposition.close()
    store.close()
    if (durable) log.info({ event: 'stopped' }, 'stopped; everything read is committed')
  }
}

/** Waits for the work; once the signal says stop, only for a while. */
async function orStopped(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const impatience = new Promise<void>((resolve) => {
    const begin = (): void => void setTimeout(resolve, STOP_PATIENCE_MS).unref()
    if (signal.aborted) begin()
    else signal.addEventListener('abort', begin, { once: true })
  })
  // Left behind, it may still fail.
  work.catch(() => undefined)
  await Promise.race([work, impatience])
}
