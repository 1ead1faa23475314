import { createBuilds } from '../attribute/builds.ts'
import { DEFAULT_PHASE_RULES, type PhaseRule } from '../attribute/phase.ts'
import type { Events } from '../events.ts'
import { readHistory, type History, type HistoryOptions } from '../history/history.ts'
import type { Progress } from '../history/progress.ts'
import { createContexts } from '../metrics/contexts.ts'
import { createLabelValues } from '../metrics/labels.ts'
import { createLedger } from '../metrics/ledger.ts'
import { createMeasure } from '../metrics/measure.ts'
import { createPipeline } from '../pipeline.ts'
import type { Store } from '../state/store.ts'
import { createRegistry } from '../tail/registry.ts'
import type { DayOfSamples } from './open-metrics.ts'
import { createSampler } from './sampler.ts'

export interface ReplayOptions extends HistoryOptions {
  readonly buildTimeout: number
  readonly phase: readonly PhaseRule[]
  readonly maxContextHashes: number
  readonly maxSteps: number
  readonly maxErrorTypes: number
  readonly maxInstructionVersions: number
  readonly contextIdle: number
  readonly stepMs: number
  /** No samples before; what came earlier is in the first ones. */
  readonly sinceMs: number | undefined
  /** No samples after. */
  readonly untilMs: number
  readonly targetLabels: readonly (readonly [string, string])[]
}

export interface ReplayDeps {
  /** Empty; in the end it holds the totals and positions from which `watch` goes on. */
  readonly store: Store
  readonly events: Events
  readonly progress: Progress
  readonly nowMs: number
  readonly onDay: (day: DayOfSamples) => void
  readonly onFault: (path: string, cause: string) => void
  readonly stopped: () => boolean
}

export interface Replayed {
  readonly history: History
  /** Entries later than the last sample: in the totals, not in the history. */
  readonly afterLast: number
  readonly beforeFirst: number
  readonly inFuture: number
}

const COMMIT_EVERY = 50_000
const PAUSE_EVERY = 4_096

/**
 * Replays all files, merged by entry time, through the daemon's own pipeline on a clock that is the entries' own,
 * and hands over what a Prometheus would have scraped on a grid of ticks, had it been there.
 */
export async function replay(options: ReplayOptions, deps: ReplayDeps): Promise<Replayed> {
  const { store, events, progress, nowMs } = deps
  const ledger = createLedger(store, { baselineEnded: false, isHidden: () => false })
  const contexts = createContexts(store, {
    cap: options.maxContextHashes,
    idleMs: options.contextIdle,
    onHide: (hash) => ledger.hide('context_hash', hash),
    onUnhide: (hash) => ledger.unhide('context_hash', hash),
  })
  const caps = {
    step: options.maxSteps,
    error_type: options.maxErrorTypes,
    instruction_version: options.maxInstructionVersions,
    model: options.maxInstructionVersions,
  }
  const labels = createLabelValues(caps, store)
  const measure = createMeasure({ ledger, labels, contexts })
  const phaseRules = [...options.phase, ...DEFAULT_PHASE_RULES]
  const builds = createBuilds(store, { timeoutMs: options.buildTimeout, phaseRules })
  const registry = createRegistry(store)
  const pipeline = createPipeline({ state: store, registry, builds, measure, ledger, contexts, events })
  const parts = [registry, builds, labels, contexts, ledger, pipeline]
  // Entries come in order of time: revisions get their numbers as they are seen.
  contexts.numberVersions()
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
    progress,
    stopped: deps.stopped,
    onFault: deps.onFault,
  })

  let nextTickMs: number | undefined
  let done = 0
  let [afterLast, beforeFirst, inFuture] = [0, 0, 0]
  const sampleUpTo = (beforeMs: number): void => {
    if (nextTickMs === undefined) return
    for (; nextTickMs < beforeMs && nextTickMs <= options.untilMs; nextTickMs += options.stepMs) {
      pipeline.expire(nextTickMs)
      sampler.take(nextTickMs)
    }
  }
  for (const { text, place, timeMs } of history.lines()) {
    const atMs = Math.min(timeMs, nowMs)
    nextTickMs ??= firstTick(timeMs, options)
    sampleUpTo(atMs)
    pipeline.expire(atMs)
    pipeline.line(text, place, atMs)
    lastEntryMs = Math.max(lastEntryMs ?? timeMs, timeMs)
    if (timeMs > nowMs) inFuture++
    else if (timeMs > options.untilMs) afterLast++
    if (options.sinceMs !== undefined && timeMs < options.sinceMs) beforeFirst++
    done++
    if (done % COMMIT_EVERY === 0) store.commit(parts)
    if (done % PAUSE_EVERY === 0) {
      progress.update('replaying', done, history.entries, 'entries')
      await new Promise(setImmediate)
      if (deps.stopped()) throw new Error('stopped before the history was complete')
    }
  }
  if (deps.stopped()) throw new Error('stopped before the history was complete')
  sampleUpTo(Number.POSITIVE_INFINITY)
  pipeline.endFirstPass(nowMs)
  sampler.finish()
  store.commit(parts)
  return { history, afterLast, beforeFirst, inFuture }
}

/** The last tick before the first entry, so that every series has its zero; not before `since`. */
function firstTick(firstEntryMs: number, { stepMs, sinceMs }: ReplayOptions): number {
  const before = (Math.ceil(firstEntryMs / stepMs) - 1) * stepMs
  return sinceMs === undefined ? before : Math.max(before, Math.ceil(sinceMs / stepMs) * stepMs)
}
