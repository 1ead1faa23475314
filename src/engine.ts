import type { Resource } from '@opentelemetry/resources'
import type { Clock } from './clock.ts'
import { createCommits, type Commits } from './commits.ts'
import { createCounting, type CountingConfig } from './counting.ts'
import type { Events } from './events.ts'
import type { Contexts } from './metrics/contexts.ts'
import { createExposition, type Exposition } from './metrics/exposition.ts'
import type { Ledger } from './metrics/ledger.ts'
import { createProducer, type HistogramBuckets, type ProducerDeps } from './metrics/producer.ts'
import { createPushSource, type PushSource } from './metrics/push-source.ts'
import type { ReaderKind } from './metrics/series.ts'
import { createShowing, type Showing } from './metrics/showing.ts'
import { createPasses, type Passes } from './passes.ts'
import { createRecentBuilds, type RecentBuilds } from './recent/recent-builds.ts'
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
  /** How long a new series keeps its start. Default: 30 s, or two fifths of `linger` if that is shorter. */
  readonly newSeriesHold?: number | undefined
  readonly histogramBuckets: HistogramBuckets
  /** How long the readers have at the end. */
  readonly linger: number
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
  /** Names this exporter where the metrics are pushed. Absent: they are scraped only. */
  readonly pushResource?: Resource | undefined
  /** Bytes that are read at once. A scrape may have to wait for one such read. */
  readonly sliceBytes?: number
  /** How many files that are read may be open at once. */
  readonly maxOpenFiles?: number
}

export interface Engine extends Passes {
  readonly tail: Tail
  readonly ledger: Ledger
  readonly contexts: Contexts
  readonly recent: RecentBuilds
  readonly commits: Commits
  readonly exposition: Exposition
  readonly showing: Showing
  /** What is pushed; `undefined` without a `pushResource`. */
  readonly pushSource: PushSource | undefined
  /** Call it after each round of reading: closes builds that timed out, and commits if a commit is due. */
  afterRound(round: Round): void
  buildsInProgress(): number
  fileCount(): number
}

const DAY_MS = 86_400_000
const LONGEST_DEFAULT_HOLD_MS = 30_000
const SLICE_BYTES = 512 * 1024
const MAX_OPEN_FILES = 256
/**
 * So many changed builds take some 10 MB until they are committed. More commits make catching up slower: each writes the
 * recent builds.
 */
const MANY_BUILDS = 20_000
const FORGET_AFTER_MS = 7 * DAY_MS
/** A file that has not grown for this long is closed and no longer watched. */
export const COLD_AFTER_MS = 5 * 60_000

/** Assembles everything between the files and a scrape, without timers, sockets and process. */
export function createEngine(config: EngineConfig, deps: EngineDeps): Engine {
  const { store, clock, events, stopped } = deps

  const recent = createRecentBuilds(store)
  const { pipeline, registry, builds, contexts, ledger, reading, parts } = createCounting(
    config,
    store,
    events,
    () => clock.wallMs(),
    deps.pushResource === undefined ? ['scrape'] : ['scrape', 'push'],
    recent,
  )
  const commits = createCommits({
    commit: (all) => store.commit(all),
    parts,
    events,
    clock,
    onCommit: deps.onCommit,
    mayWait: () => !passes.ready(),
    isMuch: () => builds.changed() >= MANY_BUILDS,
  })
  const outlets = createOutlets(config, deps, {
    ledger,
    contexts,
    commits,
    buildsInProgress: () => builds.inProgress(),
    lastEntryMs: () => builds.lastEntryMs(),
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

  const passes: Passes = createPasses({ ...deps, tail, pipeline, registry, commits })
  /** What was in the files at that time has been found. */
  let foundUpToMs = Number.NEGATIVE_INFINITY

  return {
    tail,
    ledger,
    contexts,
    recent,
    commits,
    ...outlets,
    ...passes,
    afterRound({ drained, foundUpToMs: found }) {
      foundUpToMs = found ?? foundUpToMs
      // A build must not time out because of an entry that is already written but not yet read.
      if (drained) pipeline.expire(foundUpToMs)
      if (commits.due()) commits.commit()
    },
    buildsInProgress: () => builds.inProgress(),
    fileCount: () => registry.count(),
  }
}

/**
 * A series takes a scrape, the hold and another scrape until every reader has its value. With an interval of a quarter of
 * `lingerMs`, 1.6 of them are left for the hold, and 0.4 to spare.
 */
const defaultHoldMs = (lingerMs: number): number =>
  lingerMs === 0 ? LONGEST_DEFAULT_HOLD_MS : Math.min(LONGEST_DEFAULT_HOLD_MS, 0.4 * lingerMs)

type Sources = Pick<ProducerDeps, 'ledger' | 'contexts' | 'buildsInProgress' | 'lastEntryMs'>

/** What scrapes and pushes get. Each kind has views of the series of its own. */
function createOutlets(
  { newSeriesHold, linger, histogramBuckets }: EngineConfig,
  { clock, pushResource: resource }: EngineDeps,
  { commits, ...sources }: Sources & Pick<Engine, 'commits'>,
): Pick<Engine, 'exposition' | 'showing' | 'pushSource'> {
  const of = (reader: ReaderKind, holdMs: number) => ({
    producer: createProducer({ ...sources, clock, reader, histogramBuckets }),
    showing: createShowing({
      ledger: sources.ledger,
      reader,
      clock,
      holdMs,
      commit: () => commits.commit(),
    }),
  })
  const scrapes = of('scrape', newSeriesHold ?? defaultHoldMs(linger))
  // One endpoint gets every export, so nobody else needs time for the base.
  const pushSource = resource && createPushSource({ ...of('push', 0), resource })
  return {
    exposition: createExposition({ ...scrapes, push: pushSource }),
    showing: scrapes.showing,
    pushSource,
  }
}
