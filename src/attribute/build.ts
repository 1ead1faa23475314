import type { EntryWarning } from '../entry/parse.ts'
import type { Entry } from '../entry/parsed.ts'
import type { Phase } from './phase.ts'
import { versionInStepName } from './step-version.ts'

export const OUTCOMES = ['first_pass', 'after_rework', 'failed', 'abandoned'] as const
export type Outcome = (typeof OUTCOMES)[number]

/** A build, as others may refer to it. */
export interface BuildHandle {
  /** What the list of recent builds keeps of it, as long as the build is in memory. No part of its state. */
  recent: object | undefined
}

/** What is known of one build so far. `build-rows.ts` says how the state keeps it. */
export interface BuildState extends BuildHandle {
  readonly runId: string
  /** As `runHash` gives it. */
  readonly runHash: number
  /** In the order of first sight. */
  readonly number: number
  outcome: Outcome | undefined
  /** Full hash of the latest known GEMINI.md. */
  contextFileHash: string | undefined
  /** The same when the build closed: its tokens count there, including those of late entries. */
  closingContextFileHash: string | undefined
  /** The first known one; it does not change after the close. */
  project: string | undefined
  failingErrorType: string
  /** Size of the latest failing validation's log, which the next fix answers. */
  failingLogChars: number | undefined
  /** Whether a validation failed. */
  failed: boolean
  /** Whether the latest verdict is the pass of an implement or rework entry, with no verification after it. */
  passedStep: boolean
  reworkSteps: number
  tokens: number
  startedMs: number
  lastEntryMs: number
  /** Since when the build has been idle; never later than the moment its last entry was read. */
  idleSinceMs: number
  /** The pairs of phase and prompt version that were used, joined by a NUL; bounded. */
  instructions: readonly string[]
  /** Whether it has changed since the last commit. */
  dirty: boolean
}

/** One entry with the facts that follow from its build's history. */
export interface AttributedEntry {
  readonly entry: Entry
  readonly build: BuildHandle
  /** The key of its build, as `runKey` gives it. */
  readonly runId: string
  readonly phase: Phase
  /** The entry's own; for rework otherwise that of the latest failing validation; `''` for none. */
  readonly errorType: string
  /** The entry's own, otherwise the latest known one of the build. */
  readonly contextFileHash: string | undefined
  /** The entry's own, otherwise that of its build. */
  readonly project: string | undefined
  /** The prompt version: the entry's own, or that in the name of its step, marked as such. */
  readonly instructionVersion: string | undefined
  readonly errorLogChars: number | undefined
  readonly reworkCostFactor: number | undefined
  readonly durationSeconds: number | undefined
  readonly warning: EntryWarning | undefined
  /** Whether it is the first entry of its build. */
  readonly isFirst: boolean
  /** The build that this entry closed. */
  readonly closed: ClosedBuild | undefined
  /** Set if the build closed before this entry: the tokens still count for its outcome. */
  readonly late: ClosedBuild | undefined
}

export interface ClosedBuild {
  readonly build: BuildHandle
  readonly runId: string
  readonly outcome: Outcome
  /** The latest known when it closed. */
  readonly contextFileHash: string | undefined
  /** The first known one when it closed. */
  readonly project: string | undefined
  readonly tokens: number
  readonly lastEntryMs: number
  readonly durationSeconds: number
  readonly reworkSteps: number
  readonly instructions: readonly string[]
}

/** With more prompt versions than this in one build, further ones are ignored. */
const MAX_INSTRUCTIONS = 32
const FACTOR_TOLERANCE = 0.01

/** A build without entries. */
export function newBuild(runId: string, runHash = 0, number = 0): BuildState {
  return {
    runId,
    runHash,
    number,
    outcome: undefined,
    contextFileHash: undefined,
    closingContextFileHash: undefined,
    project: undefined,
    failingErrorType: '',
    failingLogChars: undefined,
    failed: false,
    passedStep: false,
    reworkSteps: 0,
    tokens: 0,
    startedMs: Number.NaN,
    lastEntryMs: Number.NaN,
    idleSinceMs: Number.NEGATIVE_INFINITY,
    instructions: NO_INSTRUCTIONS,
    dirty: false,
    recent: undefined,
  }
}

/** The moment at which an entry is read. */
export interface ReadAt {
  readonly nowMs: number
  /** During a first pass an entry may have been written long ago: only its own time says since when a build is idle. */
  readonly firstPass: boolean
}

/**
 * Adds one entry to its build and returns what the build's history adds to the entry. Entries come in reading order.
 * Only a passing verification closes a build at once: the pass of any other step is the outcome of that step.
 */
export function attribute(build: BuildState, entry: Entry, phase: Phase, readAt: ReadAt): AttributedEntry {
  const rework = phase === 'rework'
  const errorLogChars = logCharsOf(build, entry, rework)
  const factor = factorOf(entry, errorLogChars, rework)
  const durationSeconds = durationOf(build, entry)
  const wasOpen = build.outcome === undefined
  const isFirst = Number.isNaN(build.lastEntryMs)
  const errorType = entry.errorType === '' && rework ? build.failingErrorType : entry.errorType

  const instructionVersion = entry.instructionVersion ?? versionInStepName(entry.step, phase)

  if (entry.contextFileHash !== undefined) build.contextFileHash = entry.contextFileHash
  if (wasOpen) build.project ??= entry.project
  build.tokens += entry.spentTokens ?? 0
  if (rework) build.reworkSteps++
  noteTimes(build, entry, readAt)
  noteInstruction(build, instructionVersion, phase)
  if (entry.status === 'fail') {
    build.failed = true
    build.failingErrorType = errorType
    build.failingLogChars = entry.errorLogChars ?? entry.errorFullChars
  }
  build.passedStep = passedStepAfter(build.passedStep, entry, phase)
  if (wasOpen && phase === 'verify' && entry.status === 'pass') close(build, passedOutcome(build))
  return {
    entry,
    build,
    runId: build.runId,
    phase,
    errorType,
    contextFileHash: build.contextFileHash,
    project: entry.project ?? build.project,
    instructionVersion,
    errorLogChars,
    reworkCostFactor: factor,
    durationSeconds,
    warning: contradicts(entry.reworkCostFactor, factor) ? 'rework_cost_factor_mismatch' : undefined,
    isFirst,
    closed: wasOpen && build.outcome !== undefined ? closedBuild(build, build.outcome) : undefined,
    late: !wasOpen && build.outcome !== undefined ? closedBuild(build, build.outcome) : undefined,
  }
}

function passedStepAfter(before: boolean, { status }: Entry, phase: Phase): boolean {
  if (status === 'fail' || phase === 'verify') return false
  return before || (status === 'pass' && (phase === 'implement' || phase === 'rework'))
}

const passedOutcome = (build: BuildState): Outcome =>
  build.failed || build.reworkSteps > 0 ? 'after_rework' : 'first_pass'

/**
 * Closes a build that has been idle for longer than the timeout: as passed if its latest verdict is the pass of an
 * implement or rework entry, else `failed` if a validation failed, else `abandoned`.
 */
export function expire(build: BuildState, nowMs: number, timeoutMs: number): ClosedBuild | undefined {
  if (nowMs - build.idleSinceMs <= timeoutMs) return undefined
  return closeUnverified(build)
}

/** Closes an open build that nothing more is expected of, by the same rule. */
export function closeUnverified(build: BuildState): ClosedBuild | undefined {
  if (build.outcome !== undefined) return undefined
  const outcome = unverifiedOutcome(build)
  close(build, outcome)
  return closedBuild(build, outcome)
}

const unverifiedOutcome = (build: BuildState): Outcome =>
  build.passedStep ? passedOutcome(build) : build.failed ? 'failed' : 'abandoned'

/** What an open build would be if it closed now; it stays open. */
export const asIfClosed = (build: BuildState): ClosedBuild => ({
  ...closedBuild(build, unverifiedOutcome(build)),
  contextFileHash: build.contextFileHash,
})

function close(build: BuildState, outcome: Outcome): void {
  build.outcome = outcome
  build.closingContextFileHash = build.contextFileHash
}

const closedBuild = (build: BuildState, outcome: Outcome): ClosedBuild => ({
  build,
  runId: build.runId,
  outcome,
  contextFileHash: build.closingContextFileHash,
  project: build.project,
  tokens: build.tokens,
  lastEntryMs: build.lastEntryMs,
  durationSeconds: (build.lastEntryMs - build.startedMs) / 1000,
  reworkSteps: build.reworkSteps,
  instructions: build.instructions,
})

/** Size of the log: for a fix that of the failing entry which it answers, for any other entry its own. */
function logCharsOf(build: BuildState, entry: Entry, rework: boolean): number | undefined {
  if (entry.errorLogChars !== undefined) return entry.errorLogChars
  return (rework ? build.failingLogChars : undefined) ?? entry.errorFullChars
}

/** The quotient of the parts; a given quotient counts only if they are unknown. */
function factorOf(entry: Entry, logChars: number | undefined, rework: boolean): number | undefined {
  if (!rework || entry.completionTokens === undefined || !logChars) return entry.reworkCostFactor
  return entry.completionTokens / logChars
}

/** True if the given quotient differs from that of the parts by more than rounding. */
function contradicts(given: number | undefined, factor: number | undefined): boolean {
  if (given === undefined || factor === undefined) return false
  return Math.abs(given - factor) > FACTOR_TOLERANCE * Math.max(given, factor)
}

function durationOf(build: BuildState, entry: Entry): number | undefined {
  if (entry.durationMs !== undefined) return entry.durationMs / 1000
  const seconds = (entry.timestampMs - build.lastEntryMs) / 1000
  return seconds >= 0 ? seconds : undefined
}

function noteTimes(build: BuildState, entry: Entry, { nowMs, firstPass }: ReadAt): void {
  const startedMs = entry.timestampMs - (entry.durationMs ?? 0)
  if (!(build.startedMs <= startedMs)) build.startedMs = startedMs
  if (!(build.lastEntryMs >= entry.timestampMs)) build.lastEntryMs = entry.timestampMs
  // A time in the future would keep the build open, and hide every later silence.
  const sinceMs = firstPass ? Math.min(entry.timestampMs, nowMs) : nowMs
  build.idleSinceMs = Math.max(build.idleSinceMs, sinceMs)
}

function noteInstruction(build: BuildState, version: string | undefined, phase: Phase): void {
  if (version === undefined || build.instructions.length >= MAX_INSTRUCTIONS) return
  build.instructions = withPair(build.instructions, pairOf(phase, version))
}

const NO_INSTRUCTIONS: readonly string[] = []

/** Most builds use the same few prompt versions, so they share their lists. */
const grown = new Map<readonly string[], Map<string, readonly string[]>>()
/** Bounds the memory that hostile names can take. */
const MAX_GROWN = 1_000
let grownCount = 0

function withPair(pairs: readonly string[], pair: string): readonly string[] {
  const known = grown.get(pairs)?.get(pair)
  if (known !== undefined) return known
  const longer = pairs.includes(pair) ? pairs : [...pairs, pair]
  if (++grownCount > MAX_GROWN) {
    grown.clear()
    grownCount = 1
  }
  grown.set(pairs, (grown.get(pairs) ?? new Map<string, readonly string[]>()).set(pair, longer))
  return longer
}

/** Each pair is joined once as long as a phase keeps its version, and most builds share the string. */
const lastPairs = new Map<Phase, { readonly version: string; readonly pair: string }>()

function pairOf(phase: Phase, version: string): string {
  const last = lastPairs.get(phase)
  if (last?.version === version) return last.pair
  const pair = `${phase}\0${version}`
  lastPairs.set(phase, { version, pair })
  return pair
}
