import type { AttributedEntry, ClosedBuild } from '../attribute/build.ts'
import { runKey } from '../attribute/known-builds.ts'
import type { LinePlace } from '../events.ts'
import type { Durable, Reader, Transaction } from '../state/durable.ts'
import type { FixPrompt, RecentBuild, Stretch } from './recent-build.ts'
import { deleteRecent, readRecent, writeRecent } from './recent-rows.ts'

/** How many builds are kept: those that started last. */
export const RECENT_BUILDS = 1_000
/** Forgetting sorts all of them, so it waits until there are a few more. */
const SLACK = 400
/** Further prompt versions of one build count as this one. */
const OTHER_PROMPTS = '_other'
const MAX_PROMPTS = 8
/** A build that is written to more files is read in the first of them only. */
const MAX_FILES = 4
const SHORT_HASH = 12

/** The builds that started last, for the page: what no metric can say, because a run is never a label. */
export interface RecentBuilds extends Durable {
  entry(attributed: AttributedEntry, place: LinePlace): void
  closed(build: ClosedBuild): void
  /** As of the last commit, the latest start first; at most `RECENT_BUILDS`. */
  list(): readonly RecentBuild[]
  find(runId: string): RecentBuild | undefined
}

type Kept = { -readonly [key in keyof RecentBuild]: RecentBuild[key] }

/**
 * Continues from the state. Only a build whose first entry is read here is kept, so its sums are complete: one that was
 * forgotten, or that began under an earlier version of the state, does not come back with a part of its tokens.
 */
export function createRecentBuilds(state: Reader): RecentBuilds {
  const known = new Map<string, Kept>(readRecent(state).map((build) => [build.runId, build]))
  const dirty = new Set<Kept>()
  /** As they are on disk. */
  const committed = new Map<string, RecentBuild>([...known].map(([runId, build]) => [runId, { ...build }]))
  /** Forgotten, but still on disk. */
  const dropped = new Set<string>()

  function begin(runId: string, startedMs: number): Kept {
    const build = newBuild(runId, startedMs)
    known.set(runId, build)
    dropped.delete(runId)
    return build
  }

  function forget(): void {
    if (known.size <= RECENT_BUILDS + SLACK) return
    for (const build of latest(known.values()).slice(RECENT_BUILDS)) {
      known.delete(build.runId)
      dirty.delete(build)
      if (committed.has(build.runId)) dropped.add(build.runId)
    }
  }

  return {
    entry(attributed, place) {
      const { entry, isFirst, closed } = attributed
      const runId = runKey(entry.runId)
      const startedMs = entry.timestampMs - (entry.durationMs ?? 0)
      const build = isFirst ? begin(runId, startedMs) : known.get(runId)
      if (build === undefined) return
      add(build, attributed, place)
      if (closed !== undefined) build.outcome = closed.outcome
      dirty.add(build)
      forget()
    },
    closed({ runId, outcome }) {
      const build = known.get(runId)
      if (build === undefined) return
      build.outcome = outcome
      dirty.add(build)
    },
    list: () => latest(committed.values()).slice(0, RECENT_BUILDS),
    find: (runId) => committed.get(runId),
    write(transaction: Transaction) {
      for (const runId of dropped) deleteRecent(transaction, runId)
      for (const build of dirty) writeRecent(transaction, build)
    },
    committed() {
      for (const runId of dropped) committed.delete(runId)
      for (const build of dirty) committed.set(build.runId, { ...build })
      dropped.clear()
      dirty.clear()
    },
  }
}

const latest = <B extends RecentBuild>(builds: Iterable<B>): B[] =>
  [...builds].sort((a, b) => b.startedMs - a.startedMs || (a.runId < b.runId ? -1 : 1))

const newBuild = (runId: string, startedMs: number): Kept => ({
  runId,
  outcome: undefined,
  project: undefined,
  firstContext: undefined,
  context: undefined,
  implementPrompt: undefined,
  fixPrompts: [],
  startedMs,
  firstEntryMs: Number.POSITIVE_INFINITY,
  lastEntryMs: startedMs,
  entries: 0,
  tokens: 0,
  failures: 0,
  reworkSteps: 0,
  stretches: [],
})

function add(build: Kept, attributed: AttributedEntry, place: LinePlace): void {
  const { entry, phase, contextFileHash, project, instructionVersion } = attributed
  build.startedMs = Math.min(build.startedMs, entry.timestampMs - (entry.durationMs ?? 0))
  build.lastEntryMs = Math.max(build.lastEntryMs, entry.timestampMs)
  build.entries++
  build.tokens += entry.spentTokens ?? 0
  if (entry.status === 'fail') build.failures++
  if (phase === 'rework') {
    build.reworkSteps++
    build.fixPrompts = withFix(build.fixPrompts, attributed)
  }
  build.firstEntryMs = Math.min(build.firstEntryMs, entry.timestampMs)
  build.context = contextFileHash?.slice(0, SHORT_HASH) ?? build.context
  build.firstContext ??= build.context
  if (phase === 'implement') build.implementPrompt = onlyPrompt(build.implementPrompt, instructionVersion)
  build.project ??= project
  build.stretches = extended(build.stretches, place)
}

function withFix(prompts: readonly FixPrompt[], attributed: AttributedEntry): readonly FixPrompt[] {
  const { entry, instructionVersion = '', errorLogChars } = attributed
  const find = (version: string): FixPrompt | undefined =>
    prompts.find((prompt) => prompt.version === version)
  const isNew = find(instructionVersion) === undefined
  const version = isNew && prompts.length >= MAX_PROMPTS ? OTHER_PROMPTS : instructionVersion
  const before = find(version)
  // Both sums of the rework cost factor, or none: as `countFixPrompt` counts them.
  const hasFactor = entry.completionTokens !== undefined && Boolean(errorLogChars)
  const after = {
    version,
    fixes: (before?.fixes ?? 0) + 1,
    tokens: (before?.tokens ?? 0) + (entry.spentTokens ?? 0),
    completionTokens: (before?.completionTokens ?? 0) + (hasFactor ? (entry.completionTokens ?? 0) : 0),
    errorLogChars: (before?.errorLogChars ?? 0) + (hasFactor ? (errorLogChars ?? 0) : 0),
  }
  return before === undefined
    ? [...prompts, after]
    : prompts.map((prompt) => (prompt === before ? after : prompt))
}

function onlyPrompt(before: Kept['implementPrompt'], version: string | undefined): Kept['implementPrompt'] {
  if (version === undefined || before === version) return before
  return before === undefined ? version : null
}

/** An offset before the end of what was read says that other content stands in the file: the stretch begins again. */
function extended(stretches: readonly Stretch[], { path, offset, length }: LinePlace): readonly Stretch[] {
  const to = offset + length
  const at = stretches.findIndex((stretch) => stretch.path === path)
  if (at < 0) return stretches.length < MAX_FILES ? [...stretches, { path, from: offset, to }] : stretches
  const before = stretches[at] as Stretch
  const after = { path, from: offset < before.to ? offset : before.from, to }
  return stretches.length === 1 ? [after] : stretches.with(at, after)
}
