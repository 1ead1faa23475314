import { createCounting, type CountingConfig } from '../counting.ts'
import type { Events } from '../events.ts'
import { readHistory, type History, type HistoryOptions } from '../history/history.ts'
import type { Pipeline } from '../pipeline.ts'
import type { Progress } from '../history/progress.ts'
import type { Scratch } from '../history/scratch.ts'
import type { Store } from '../state/store.ts'
import { refuseGaps } from './gaps.ts'
import type { DayOfSamples } from './open-metrics.ts'
import { createSampler, type Sampler } from './sampler.ts'

export interface ReplayOptions extends HistoryOptions, CountingConfig {
  readonly stepMs: number
  /** No samples before this time; the first samples include earlier entries. */
  readonly sinceMs: number | undefined
  /** No samples after this time. */
  readonly untilMs: number
  /**
   * The samples show the history as of this moment. Later entries, and builds that time out later, are only in the
   * totals, so a repeated run writes the same samples.
   */
  readonly asOfMs: number
  readonly targetLabels: readonly (readonly [string, string])[]
}

export interface ReplayDeps {
  /** Empty at the start; at the end it contains the totals and positions from which `watch` continues. */
  readonly store: Store
  readonly events: Events
  readonly progress: Progress
  readonly scratch: Scratch
  readonly nowMs: number
  readonly onDay: (day: DayOfSamples) => void
  readonly onFault: (path: string, cause: string) => void
  readonly stopped: () => boolean
}

export interface Replayed {
  readonly history: History
  /** Entries after the last sample: in the totals, not in the samples. */
  readonly afterLast: number
  readonly beforeFirst: number
}

const COMMIT_EVERY = 50_000
const PAUSE_EVERY = 4_096
const DAY_MS = 86_400_000

/**
 * Replays all files, merged by entry time, through the daemon's own pipeline. The merged time is the clock, which never
 * goes back. Passes on, day by day, what a Prometheus would have scraped at every tick. Throws before the
 * first day if a gap between entries is so long that the samples would fill the disk.
 */
export async function replay(options: ReplayOptions, deps: ReplayDeps): Promise<Replayed> {
  const { store, events, nowMs } = deps
  const { pipeline, registry, builds, contexts, ledger, parts } = createCounting(
    options,
    store,
    events,
    () => nowMs,
  )
  // Entries are merged by time, so revisions can be numbered by first sight.
  contexts.numberVersions()
  pipeline.startReplay()
  let lastEntryMs: number | undefined
  const sampler = createSampler({
    ledger,
    contexts: () => contexts.current(),
    buildsInProgress: () => builds.openNow(),
    lastEntryMs: () => lastEntryMs,
    targetLabels: options.targetLabels,
    stepMs: options.stepMs,
    onDay: deps.onDay,
  })

  const history = await readHistory(options, {
    sink: pipeline,
    onWelded: (place) => pipeline.welded(place),
    track: (path, facts) => registry.add(path, facts),
    progress: deps.progress,
    scratch: deps.scratch,
    nowMs,
    stopped: deps.stopped,
    onFault: deps.onFault,
  })
  try {
    throwIfStopped(deps)
    refuseGaps(history, options)
    const { afterLast, beforeFirst } = await replayEntries(options, deps, {
      history,
      pipeline,
      sampler,
      commit: () => store.commit(parts),
      noteEntry: (atMs) => (lastEntryMs = atMs),
    })
    return { history, afterLast, beforeFirst }
  } finally {
    history.close()
  }
}

interface Replay {
  readonly history: History
  readonly pipeline: Pipeline
  readonly sampler: Sampler
  readonly commit: () => void
  /** Called with the time of each entry. */
  readonly noteEntry: (atMs: number) => void
}

/** Passes the entries on in merged order, and takes the samples between them. */
async function replayEntries(
  options: ReplayOptions,
  deps: ReplayDeps,
  { history, pipeline, sampler, commit, noteEntry }: Replay,
): Promise<Pick<Replayed, 'afterLast' | 'beforeFirst'>> {
  const { nowMs } = deps
  const ticksOfDay = Math.ceil(DAY_MS / options.stepMs)
  let nextTickMs = Number.POSITIVE_INFINITY
  let ticks = 0
  let done = 0
  let ended = false
  let [afterLast, beforeFirst] = [0, 0]
  const pause = async (): Promise<void> => {
    deps.progress.update('replaying', done, history.entries, 'entries')
    await new Promise(setImmediate)
    throwIfStopped(deps)
  }
  const isDue = (beforeMs: number): boolean => nextTickMs < beforeMs && nextTickMs <= options.untilMs
  const sampleUpTo = async (beforeMs: number): Promise<void> => {
    for (; isDue(beforeMs); nextTickMs += options.stepMs) {
      pipeline.expire(nextTickMs)
      sampler.take(nextTickMs)
      if (++ticks % ticksOfDay === 0) await pause()
    }
  }
  const endSamples = async (): Promise<void> => {
    ended = true
    await sampleUpTo(Number.POSITIVE_INFINITY)
    pipeline.endFirstPass(options.asOfMs)
    sampler.finish()
  }
  for (const { text, place, timeMs } of history.lines()) {
    const atMs = Math.min(timeMs, nowMs)
    if (done === 0) nextTickMs = firstTick(timeMs, options)
    if (isDue(atMs)) await sampleUpTo(atMs)
    if (!ended && timeMs > options.asOfMs) await endSamples()
    pipeline.expire(atMs)
    pipeline.line(text, place, atMs)
    noteEntry(atMs)
    if (timeMs > options.untilMs && timeMs <= nowMs) afterLast++
    if (options.sinceMs !== undefined && timeMs < options.sinceMs) beforeFirst++
    done++
    if (done % COMMIT_EVERY === 0) commit()
    if (done % PAUSE_EVERY === 0) await pause()
  }
  throwIfStopped(deps)
  if (!ended) await endSamples()
  pipeline.expire(nowMs)
  commit()
  return { afterLast, beforeFirst }
}

function throwIfStopped({ stopped }: Pick<ReplayDeps, 'stopped'>): void {
  if (stopped()) throw new Error('stopped before the history was complete')
}

/** Returns the last tick before the first entry, so that every series starts at zero; not before `since`. */
function firstTick(firstEntryMs: number, { stepMs, sinceMs }: ReplayOptions): number {
  const before = (Math.ceil(firstEntryMs / stepMs) - 1) * stepMs
  return sinceMs === undefined ? before : Math.max(before, Math.ceil(sinceMs / stepMs) * stepMs)
}
