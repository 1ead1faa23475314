import type { AttributedEntry, ClosedBuild } from '../attribute/build.ts'
import type { Entry } from '../entry/parsed.ts'
import type { LinePlace } from '../events.ts'
import type { Durable, Reader, Transaction } from '../state/durable.ts'
import type { FixPrompt, RecentBuild, Stretch } from './recent-build.ts'
import { deleteRecent, readRecent, writeRecent } from './recent-rows.ts'

/** How many builds are kept: those that started last. */
export const RECENT_BUILDS = 1_000
/** Forgetting looks at all of them, so it waits until there are a few more. */
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

type Mutable<T> = { -readonly [key in keyof T]: T[key] }

/** Changed in place, since nearly every entry changes one. */
type Kept = Mutable<Omit<RecentBuild, 'fixPrompts' | 'stretches'>> & {
  // Replaced when they grow: by `push`, each would get room for 17.
  fixPrompts: readonly Mutable<FixPrompt>[]
  stretches: readonly Mutable<Stretch>[]
}

const copyOf = (build: RecentBuild): Kept => ({
  ...build,
  fixPrompts: build.fixPrompts.map((prompt) => ({ ...prompt })),
  stretches: build.stretches.map((stretch) => ({ ...stretch })),
})

/**
 * Continues from the state. Only a build whose first entry is read here is kept, so its sums are complete: one that was
 * forgotten, or that began under an earlier version of the state, does not come back with a part of its tokens.
 */
export function createRecentBuilds(state: Reader): RecentBuilds {
  /** As they are on disk. */
  const committed = new Map<string, RecentBuild>(readRecent(state).map((build) => [build.runId, build]))
  const known = new Map<string, Kept>([...committed].map(([runId, build]) => [runId, copyOf(build)]))
  const dirty = new Set<Kept>()
  /** Forgotten, but still on disk. */
  const dropped = new Set<string>()
  /** That of the entry before: consecutive entries mostly have the same. */
  let last: Kept | undefined
  /** One that is in `dirty`. */
  let lastDirty: Kept | undefined

  function touch(build: Kept): void {
    if (build === lastDirty) return
    dirty.add(build)
    lastDirty = build
  }

  function begin(runId: string, startedMs: number): Kept {
    const build = newBuild(runId, startedMs)
    known.set(runId, build)
    dropped.delete(runId)
    return build
  }

  function buildOf({ runId, isFirst, entry }: AttributedEntry): Kept | undefined {
    if (isFirst) last = begin(runId, startOf(entry))
    else if (last?.runId !== runId) last = known.get(runId)
    return last
  }

  function forget(): void {
    if (known.size <= RECENT_BUILDS + SLACK) return
    for (const build of allButLatest([...known.values()], RECENT_BUILDS)) {
      known.delete(build.runId)
      dirty.delete(build)
      if (build === last) last = undefined
      if (committed.has(build.runId)) dropped.add(build.runId)
    }
  }

  return {
    entry(attributed, place) {
      const build = buildOf(attributed)
      if (build === undefined) return
      add(build, attributed, place)
      if (attributed.closed !== undefined) build.outcome = attributed.closed.outcome
      touch(build)
      if (attributed.isFirst) forget()
    },
    closed({ runId, outcome }) {
      const build = known.get(runId)
      if (build === undefined) return
      build.outcome = outcome
      touch(build)
    },
    list: () => latest(committed.values()).slice(0, RECENT_BUILDS),
    find: (runId) => committed.get(runId),
    write(transaction: Transaction) {
      for (const runId of dropped) deleteRecent(transaction, runId)
      for (const build of dirty) writeRecent(transaction, build)
    },
    committed() {
      for (const runId of dropped) committed.delete(runId)
      for (const build of dirty) committed.set(build.runId, copyOf(build))
      dropped.clear()
      dirty.clear()
      lastDirty = undefined
    },
  }
}

const inOrder = (a: RecentBuild, b: RecentBuild): number =>
  b.startedMs - a.startedMs || (a.runId < b.runId ? -1 : 1)

const latest = (builds: Iterable<RecentBuild>): RecentBuild[] => [...builds].sort(inOrder)

/** What `latest` would have behind the first `n`, in any order: sorting the times alone takes a fraction of the time. */
function allButLatest(builds: readonly Kept[], n: number): Kept[] {
  const lastMs = Float64Array.from(builds, ({ startedMs }) => startedMs)
    .sort()
    .at(-n)
  if (lastMs === undefined) return []
  const earlier = builds.filter(({ startedMs }) => startedMs < lastMs)
  const atOnce = builds.filter(({ startedMs }) => startedMs === lastMs).sort(inOrder)
  return [...earlier, ...atOnce.slice(atOnce.length + earlier.length + n - builds.length)]
}

const newBuild = (runId: string, startedMs: number): Kept => ({
  runId,
  outcome: undefined,
  project: undefined,
  firstContext: undefined,
  context: undefined,
  implementPrompt: undefined,
  implementDraw: undefined,
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

const startOf = ({ timestampMs, durationMs = 0 }: Entry): number => timestampMs - durationMs

function add(build: Kept, attributed: AttributedEntry, place: LinePlace): void {
  const { entry, phase, contextFileHash, project, instructionVersion } = attributed
  build.startedMs = Math.min(build.startedMs, startOf(entry))
  build.lastEntryMs = Math.max(build.lastEntryMs, entry.timestampMs)
  build.entries++
  build.tokens += entry.spentTokens ?? 0
  if (entry.status === 'fail') build.failures++
  if (phase === 'rework') {
    build.reworkSteps++
    addFix(build, attributed)
  }
  build.firstEntryMs = Math.min(build.firstEntryMs, entry.timestampMs)
  build.context = contextFileHash === undefined ? build.context : shortHash(contextFileHash)
  build.firstContext ??= build.context
  if (phase === 'implement' && instructionVersion !== undefined) {
    build.implementPrompt = only(build.implementPrompt, instructionVersion)
    build.implementDraw = only(build.implementDraw, entry.instructionAssignment ?? null)
  }
  build.project ??= project
  extend(build, place)
}

/** Neighbouring entries share their context: each hash is cut once. */
let lastHash = ''
let lastShort = ''

function shortHash(hash: string): string {
  if (hash !== lastHash) {
    lastHash = hash
    lastShort = hash.slice(0, SHORT_HASH)
  }
  return lastShort
}

function addFix(build: Kept, attributed: AttributedEntry): void {
  const { entry, instructionVersion = '', errorLogChars } = attributed
  const prompt = promptOf(build, instructionVersion)
  prompt.fixes++
  prompt.tokens += entry.spentTokens ?? 0
  // Both sums of the rework cost factor, or none: as `countFixPrompt` counts them.
  if (entry.completionTokens === undefined || !errorLogChars) return
  prompt.completionTokens += entry.completionTokens
  prompt.errorLogChars += errorLogChars
}

function promptOf(build: Kept, version: string): Mutable<FixPrompt> {
  const prompts = build.fixPrompts
  const found = prompts.find((prompt) => prompt.version === version)
  if (found !== undefined) return found
  if (prompts.length >= MAX_PROMPTS && version !== OTHER_PROMPTS) return promptOf(build, OTHER_PROMPTS)
  const made = { version, fixes: 0, tokens: 0, completionTokens: 0, errorLogChars: 0 }
  build.fixPrompts = [...prompts, made]
  return made
}

/** `null` for several. */
const only = (before: string | null | undefined, value: string | null): string | null =>
  before === undefined || before === value ? value : null

/** An offset before the end of what was read says that other content stands in the file: the stretch begins again. */
function extend(build: Kept, { path, offset, length }: LinePlace): void {
  const to = offset + length
  const stretch = build.stretches.find((one) => one.path === path)
  if (stretch !== undefined) {
    if (offset < stretch.to) stretch.from = offset
    stretch.to = to
  } else if (build.stretches.length < MAX_FILES)
    build.stretches = [...build.stretches, { path, from: offset, to }]
}
