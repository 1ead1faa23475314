import { createBuilds } from '../attribute/builds.ts'
import { DEFAULT_PHASE_RULES } from '../attribute/phase.ts'
import type { Clock } from '../clock.ts'
import { createCommits } from '../commits.ts'
import type { WatchConfig } from '../config/watch-config.ts'
import { createLogEvents, type Logger } from '../log.ts'
import { createContexts, UNKNOWN_CONTEXT } from '../metrics/contexts.ts'
import { CONTENT_TYPE, createExposition } from '../metrics/exposition.ts'
import { createLabelValues } from '../metrics/labels.ts'
import { createLedger } from '../metrics/ledger.ts'
import { createMeasure } from '../metrics/measure.ts'
import { createProducer } from '../metrics/producer.ts'
import { createSelfMetrics, type ProcessUsage, type SelfMetrics } from '../metrics/self.ts'
import { baselineHasEnded, createPipeline } from '../pipeline.ts'
import { createHttpServer } from '../serve/server.ts'
import { readWebConfig } from '../serve/web-config.ts'
import { openStore } from '../state/store.ts'
import { nodeFileSystem } from '../tail/file-system.ts'
import { createHints } from '../tail/hints.ts'
import { createWaker, runLoop } from '../tail/loop.ts'
import { createReader } from '../tail/reader.ts'
import { createRegistry } from '../tail/registry.ts'
import { createTail } from '../tail/tail.ts'
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
}

const DAY_MS = 86_400_000
const POLL_MS = 1_000
const RETRY_COMMIT_MS = 1_000
const COLD_AFTER_MS = 5 * 60_000
const MAX_OPEN_FILES = 256
const SLICE_BYTES = 256 * 1024

/**
 * The daemon: reads the files below the roots as they grow and serves their totals, until the signal.
 * Throws a `StateError` where the state cannot be used, and what listening throws where the address cannot.
 */
export async function watch(config: WatchConfig, deps: WatchDeps): Promise<void> {
  const { log, clock, signal } = deps
  const web = config.webConfig === undefined ? undefined : readWebConfig(config.webConfig)
  const store = openStore(config.state)
  let self: SelfMetrics | undefined
  const events = createLogEvents(log, () => self as SelfMetrics, clock)

  // metrics
  const hiddenContexts = new Set(
    store.all('SELECT hash FROM contexts WHERE hidden = 1').map((row) => String(row['hash'])),
  )
  const ledger = createLedger(store, {
    baselineEnded: baselineHasEnded(store),
    isHidden: (metric, labels) => {
      const context = labels[metric.labels.indexOf('context_hash')]
      return context !== undefined && context !== UNKNOWN_CONTEXT && hiddenContexts.has(context)
    },
  })
  const contexts = createContexts(store, {
    cap: config.maxContextHashes,
    idleMs: config.contextIdle,
    onHide: (hash) => ledger.hide('context_hash', hash),
    onUnhide: (hash) => ledger.unhide('context_hash', hash),
  })
  const labels = createLabelValues(
    {
      step: config.maxSteps,
      error_type: config.maxErrorTypes,
      instruction_version: config.maxInstructionVersions,
      model: config.maxInstructionVersions,
    },
    store,
  )
  const measure = createMeasure({ ledger, labels, contexts })

  // lines → entry → attributed → measured
  const builds = createBuilds(store, {
    timeoutMs: config.buildTimeout,
    phaseRules: [...config.phase, ...DEFAULT_PHASE_RULES],
  })
  const registry = createRegistry(store)
  const pipeline = createPipeline({ state: store, registry, builds, measure, ledger, contexts, events })

  // → committed
  const parts = [registry, builds, labels, contexts, ledger, pipeline]
  const commits = createCommits({
    commit: store.commit,
    parts,
    events,
    clock,
    onCommit: (s) => self?.committed(s),
  })
  const producer = createProducer({
    ledger,
    contexts,
    clock,
    buildsInProgress: builds.inProgress,
    lastEntryMs: builds.lastEntryMs,
  })
  let ready = false
  const exposition = createExposition({
    ledger,
    producer,
    clock,
    newSeriesHoldMs: config.newSeriesHold,
    commit() {
      if (ready) pipeline.expire(clock.wallMs())
      return commits.commit()
    },
  })

  // files → lines
  const waker = createWaker()
  const tail = createTail(
    {
      fs: nodeFileSystem,
      registry,
      reader: createReader(pipeline, { maxLineBytes: config.maxLineBytes, sliceBytes: SLICE_BYTES }),
      events,
      now: clock.wallMs,
      onRotation: measure.rotation,
      async beforeSlice() {
        if (commits.due()) commits.commit()
        while (!commits.durable() && !signal.aborted) {
          await waker.wait(RETRY_COMMIT_MS)
          commits.commit()
        }
      },
    },
    {
      roots: config.roots,
      fileName: config.fileName,
      followSymlinks: config.followSymlinks,
      coldAfterMs: COLD_AFTER_MS,
      maxOpenFiles: MAX_OPEN_FILES,
      forgetAfterMs: 7 * DAY_MS,
    },
  )

  const status = createStatus({
    version: deps.version,
    startedAtMs: clock.wallMs(),
    clock,
    tail,
    ledger,
    contexts,
    commits,
    inProgress: builds.inProgress,
    stateBytes: store.sizeBytes,
    ready: () => ready,
  })
  self = createSelfMetrics(exposition.meter, status.health, deps.usage)

  const server = createHttpServer({
    web,
    status: status.view,
    onRequestError: (error, path) =>
      log.error(
        { event: 'request_failed', path, cause: String(error) },
        `cannot answer ${path}: ${String(error)}`,
      ),
    async scrape() {
      if (!ready)
        return { ok: false, status: 503, message: 'not ready: the first pass over all files is not done yet' }
      const { body, sent } = await exposition.scrape()
      return { ok: true, scrape: { contentType: CONTENT_TYPE, body, sent } }
    },
  })

  try {
    const { host, port } = await server.listen(config.listen.host, config.listen.port)
    const url = `${web?.tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`
    log.info(
      { event: 'listening', url, state: config.state, roots: config.roots },
      `listening on ${url}/metrics, state in ${config.state}`,
    )
    deps.onListening?.(url)

    await firstPass()
    if (!signal.aborted) {
      await runLoop(
        {
          tail,
          clock,
          waker,
          signal,
          startHints: (onHint) =>
            config.poll
              ? { close: () => Promise.resolve() }
              : createHints({
                  roots: config.roots,
                  fileName: config.fileName,
                  coldAfterMs: COLD_AFTER_MS,
                  nowMs: clock.wallMs,
                  onHint,
                  onError: (error) => events.fileFailed(config.roots.join(', '), 'watch', error),
                }),
          afterRound() {
            pipeline.expire(clock.wallMs())
            if (commits.due()) commits.commit()
          },
        },
        { pollMs: POLL_MS, scanMs: config.poll ? POLL_MS : config.scanInterval },
      )
    }
  } finally {
    await server.close()
    await tail.close()
    commits.commit()
    await exposition.close()
    store.close()
    log.info({ event: 'stopped' }, 'stopped; everything read is committed')
  }

  async function firstPass(): Promise<void> {
    const startedMs = clock.monotonicMs()
    await tail.scan()
    await tail.drain(() => signal.aborted)
    if (signal.aborted) return
    pipeline.endFirstPass(clock.wallMs())
    while (!commits.commit() && !signal.aborted) await waker.wait(RETRY_COMMIT_MS)
    ready = true
    events.caughtUp(registry.count(), (clock.monotonicMs() - startedMs) / 1000)
  }
}
