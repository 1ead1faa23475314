import type { Clock } from './clock.ts'
import { createCommits, type Commits } from './commits.ts'
import { createCounting, type CountingConfig } from './counting.ts'
import type { Events } from './events.ts'
import type { Contexts } from './metrics/contexts.ts'
import { createExposition, type Exposition } from './metrics/exposition.ts'
import type { Ledger } from './metrics/ledger.ts'
import { createProducer } from './metrics/producer.ts'
import { createShowing, type Showing } from './metrics/showing.ts'
import type { Store } from './state/store.ts'
import type { FileSystem } from './tail/file-system.ts'
import type { Round } from './tail/loop.ts'
import { createReader } from './tail/reader.ts'
import { createTail, type Tail } from './tail/tail.ts'

/** The part of the configuration that decides which numbers come out. Durations in milliseconds. */
export interface EngineConfig extends CountingConfig {
  /** Absolute paths. */
  readonly roots: readonly string[]
  readonly fileName: string
  readonly followSymlinks: boolean
  readonly maxLineBytes: number
  readonly newSeriesHold: number
}

export interface EngineDeps {
  readonly store: Store
  readonly fs: FileSystem
  readonly clock: Clock
  readonly events: Events
  /** Waits before a failed commit is tried again. */
  readonly waitToRetry: () => Promise<void>
  /** True once reading must stop; what has been read is still committed. */
  readonly stopped: () => boolean
  readonly onCommit: (seconds: number) => void
  /** Bytes that are read at once. A scrape may have to wait for one such read. */
  readonly sliceBytes?: number
  /** How many files that are read may be open at once. */
  readonly maxOpenFiles?: number
}

export interface Engine {
  readonly tail: Tail
  readonly ledger: Ledger
  readonly contexts: Contexts
  readonly commits: Commits
  readonly exposition: Exposition
  readonly showing: Showing
  /**
   * Reads and commits everything that is in the files. Never rejects; ends early when stopped. Before it ends it waits
   * up to half a minute for `watching` to resolve: from then on every file is watched.
   */
  firstPass(watching?: Promise<void>): Promise<void>
  /** Whether the first pass has ended. */
  ready(): boolean
  /** Call it after each round of reading: closes builds that timed out, and commits if a commit is due. */
  afterRound(round: Round): void
  buildsInProgress(): number
  fileCount(): number
}

const DAY_MS = 86_400_000
const SLICE_BYTES = 512 * 1024
const MAX_OPEN_FILES = 256
const FORGET_AFTER_MS = 7 * DAY_MS
/** Retries during the first pass, about one per second. */
const FIRST_PASS_RETRIES = 30
const FIRST_PASS_PATIENCE_MS = 30_000

/** A file that has not grown for this long is closed and no longer watched. */
export const COLD_AFTER_MS = 5 * 60_000

/** Assembles everything between the files and a scrape, without timers, sockets and process. */
export function createEngine(config: EngineConfig, deps: EngineDeps): Engine {
  const { store, clock, events, stopped } = deps

  const { pipeline, registry, builds, contexts, ledger, reading, parts } = createCounting(
    config,
    store,
    events,
    () => clock.wallMs(),
  )
  const commits = createCommits({
    commit: (all) => store.commit(all),
    parts,
    events,
    clock,
    onCommit: deps.onCommit,
  })
  const showing = createShowing({
    ledger,
    clock,
    newSeriesHoldMs: config.newSeriesHold,
    commit: () => commits.commit(),
  })
  const exposition = createExposition({
    showing,
    producer: createProducer({
      ledger,
      contexts,
      clock,
      buildsInProgress: () => builds.inProgress(),
      lastEntryMs: () => builds.lastEntryMs(),
    }),
  })

  // files → lines
  const tail = createTail(
    {
      fs: deps.fs,
      registry,
      reader: createReader(pipeline, {
        maxLineBytes: config.maxLineBytes,
        sliceBytes: deps.sliceBytes ?? SLICE_BYTES,
      }),
      events,
      now: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      onRotation: () => reading.rotation(),
      async makeDurable() {
        if (commits.due() || registry.newIdentities() > 0) commits.commit()
        while (!commits.durable() && !stopped()) {
          await deps.waitToRetry()
          commits.commit()
        }
      },
    },
    {
      ...config,
      coldAfterMs: COLD_AFTER_MS,
      maxOpenFiles: deps.maxOpenFiles ?? MAX_OPEN_FILES,
      forgetAfterMs: FORGET_AFTER_MS,
    },
  )

  let ready = false
  /** Start of the latest complete scan. Everything that was in the files at that time has been found. */
  let foundUpToMs = Number.NEGATIVE_INFINITY

  return {
    tail,
    ledger,
    contexts,
    commits,
    exposition,
    showing,
    async firstPass(watching = Promise.resolve()) {
      const startedMs = clock.monotonicMs()
      const startedWallMs = clock.wallMs()
      await tail.scan(stopped)
      await tail.drain(stopped)
      await retryTransientFailures(tail, deps)
      await untilWatching(watching, deps)
      if (stopped()) return
      pipeline.endFirstPass(startedWallMs)
      while (!commits.commit()) {
        if (stopped()) return
        await deps.waitToRetry()
      }
      ready = true
      events.caughtUp(registry.count(), (clock.monotonicMs() - startedMs) / 1000)
    },
    ready: () => ready,
    afterRound({ drained, scannedSinceMs }) {
      foundUpToMs = scannedSinceMs ?? foundUpToMs
      // A build must not time out because of an entry that is already written but not yet read.
      if (drained) pipeline.expire(foundUpToMs)
      if (commits.due()) commits.commit()
    },
    buildsInProgress: () => builds.inProgress(),
    fileCount: () => registry.count(),
  }
}

/** Content that is read before the baseline ends is history; later it would be an increase. */
async function retryTransientFailures(
  tail: Tail,
  { clock, stopped, waitToRetry }: EngineDeps,
): Promise<void> {
  const untilMs = clock.monotonicMs() + FIRST_PASS_PATIENCE_MS
  for (let i = 0; i < FIRST_PASS_RETRIES && clock.monotonicMs() < untilMs; i++) {
    if (!tail.hasTransientFailures() || stopped()) return
    await waitToRetry()
    await tail.scan(stopped)
    await tail.drain(stopped)
  }
}

/** Watchers that never come into place must not keep the exporter from its work. */
async function untilWatching(watching: Promise<void>, { stopped, waitToRetry }: EngineDeps): Promise<void> {
  const inPlace = watching.then(() => true)
  for (let i = 0; i < FIRST_PASS_RETRIES && !stopped(); i++)
    if (await Promise.race([inPlace, waitToRetry().then(() => false)])) return
}
