import { createBuilds, type Builds } from './attribute/builds.ts'
import { DEFAULT_PHASE_RULES, type PhaseRule } from './attribute/phase.ts'
import { createSupplement, type SupplementConfig } from './entry/supplement.ts'
import type { Events } from './events.ts'
import { createContexts, UNKNOWN_CONTEXT, type Contexts } from './metrics/contexts.ts'
import { createLabelValues } from './metrics/labels.ts'
import { createLedger, type Ledger } from './metrics/ledger.ts'
import { createMeasure } from './metrics/measure.ts'
import { createReadingCounters, type ReadingCounters } from './metrics/reading.ts'
import type { IsHidden } from './metrics/series-table.ts'
import type { ReaderKind } from './metrics/series.ts'
import { baselineHasEnded, createPipeline, type Pipeline } from './pipeline.ts'
import type { RecentBuilds } from './recent/recent-builds.ts'
import type { Durable } from './state/durable.ts'
import type { Store } from './state/store.ts'
import { createRegistry, type Registry } from './tail/registry.ts'

/** The options on which the counts depend. Durations in milliseconds. */
export interface CountingConfig extends SupplementConfig {
  readonly buildTimeout: number
  readonly phase: readonly PhaseRule[]
  readonly maxContextHashes: number
  readonly maxSteps: number
  readonly maxErrorTypes: number
  readonly maxInstructionVersions: number
  readonly maxModels: number
  readonly maxProjects: number
  readonly contextIdle: number
  /**
   * What the files contain at the very first start: `existing`, and new series start there; or `none`, and they start at
   * zero, so that it counts as an increase. Without effect on a state whose first start is over. Default: `existing`.
   */
  readonly baseline?: 'existing' | 'none'
}

export interface Counting {
  readonly pipeline: Pipeline
  readonly registry: Registry
  readonly builds: Builds
  readonly contexts: Contexts
  readonly ledger: Ledger
  readonly reading: ReadingCounters
  /** The parts of the state, which a commit writes together. */
  readonly parts: readonly Durable[]
}

/**
 * Assembles the path from a line to its counts, for live files, restarts and history. Continues from the state.
 * `nowMs` is the birth of new series, in milliseconds since 1970; `readers` are those for whom a series is born at zero;
 * `recent` keeps single builds.
 */
export function createCounting(
  config: CountingConfig,
  store: Store,
  events: Events,
  nowMs: () => number,
  readers: readonly ReaderKind[] = ['scrape'],
  recent?: RecentBuilds,
): Counting {
  const baselineEnded = config.baseline === 'none' || baselineHasEnded(store)
  const ledger = createLedger(store, {
    baselineEnded,
    readers,
    isHidden: hiddenContexts(store),
    nowMs,
  })
  const contexts = createContexts(store, {
    cap: config.maxContextHashes,
    idleMs: config.contextIdle,
    onHide: (hash) => ledger.hide('context_hash', hash),
    onUnhide: (hash) => ledger.unhide('context_hash', hash),
  })
  const caps = {
    step: config.maxSteps,
    error_type: config.maxErrorTypes,
    instruction_version: config.maxInstructionVersions,
    model: config.maxModels,
    project: config.maxProjects,
  }
  const labels = createLabelValues(caps, store)
  const measure = createMeasure({ ledger, labels, contexts })
  const reading = createReadingCounters(ledger)
  const phaseRules = [...config.phase, ...DEFAULT_PHASE_RULES]
  const builds = createBuilds(store, { timeoutMs: config.buildTimeout, phaseRules })
  const registry = createRegistry(store)
  const pipeline = createPipeline({
    state: store,
    baselineEnded,
    supplement: createSupplement(config, (model, reason) => events.modelUnpriced(model, reason)),
    builds,
    measure,
    reading,
    ledger,
    contexts,
    recent,
    events,
  })
  const parts = [
    registry,
    builds,
    labels,
    contexts,
    ledger,
    pipeline,
    ...(recent === undefined ? [] : [recent]),
  ]
  return { pipeline, registry, builds, contexts, ledger, reading, parts }
}

/** Tells which series belong to a context that was removed from the scrape: they are kept but not shown. */
function hiddenContexts(store: Store): IsHidden {
  const hidden = new Set(
    store.all('SELECT hash FROM contexts WHERE hidden = 1').map((row) => String(row['hash'])),
  )
  return (metric, labels) => {
    const context = labels[metric.labels.indexOf('context_hash')]
    return context !== undefined && context !== UNKNOWN_CONTEXT && hidden.has(context)
  }
}
