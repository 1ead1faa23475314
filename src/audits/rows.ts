import type { Builds } from '../attribute/builds.ts'
import { runKey } from '../attribute/known-builds.ts'
import type { AttributedEntry, ClosedBuild } from '../attribute/build.ts'
import { parseLine } from '../entry/parse.ts'
import type { Entry } from '../entry/parsed.ts'
import type { Supplement } from '../entry/supplement.ts'
import type { History, HistorySpot } from '../history/history.ts'
import type { Progress } from '../history/progress.ts'
import { labelValue } from '../metrics/labels.ts'

/** One attributed entry: a row of the report's tables and of the exported file. */
export interface EntryRow {
  readonly seq: number
  readonly run_id: string
  readonly ts_ms: number
  readonly step: string
  readonly phase: string
  readonly status: string
  /** `''` for none. */
  readonly error_type: string
  /** Full hash of GEMINI.md, the entry's own or the build's latest known; null where unknown. */
  readonly context_file_hash: string | null
  readonly prompt_tokens: number | null
  /** The part of the prompt that came from a cache. */
  readonly cached_tokens: number | null
  readonly completion_tokens: number | null
  readonly total_tokens: number | null
  readonly context_tokens: number | null
  readonly instruction_tokens: number | null
  /** The prompt without the parts that are known; null if the prompt or both parts are unknown. */
  readonly other_tokens: number | null
  readonly instruction_version: string | null
  /** The draw in which the version was assigned at random; null where it was not. */
  readonly instruction_assignment: string | null
  /** The entry's own, that of its path, or its build's; null where unknown. */
  readonly project: string | null
  readonly model: string | null
  readonly error_log_chars: number | null
  readonly rework_cost_factor: number | null
  readonly files_touched: number | null
  readonly duration_seconds: number | null
  readonly cost_usd: number | null
}

type Complete<Columns extends Record<keyof Entry, keyof EntryRow | null>> = Columns

/** The column that shows each value of an entry; `null` if none does. A value that is not listed does not compile. */
type ColumnOf = Complete<{
  runId: 'run_id'
  step: 'step'
  timestampMs: 'ts_ms'
  status: 'status'
  errorType: 'error_type'
  promptTokens: 'prompt_tokens'
  cachedTokens: 'cached_tokens'
  completionTokens: 'completion_tokens'
  spentTokens: 'total_tokens'
  contextTokens: 'context_tokens'
  instructionTokens: 'instruction_tokens'
  otherTokens: 'other_tokens'
  contextFileHash: 'context_file_hash'
  errorLogChars: 'error_log_chars'
  errorFullChars: null
  reworkCostFactor: 'rework_cost_factor'
  filesTouched: 'files_touched'
  instructionVersion: 'instruction_version'
  instructionAssignment: 'instruction_assignment'
  project: 'project'
  model: 'model'
  durationMs: 'duration_seconds'
  costUsd: 'cost_usd'
  totalMismatch: null
  cachedMismatch: null
}>
type ShownColumn = NonNullable<ColumnOf[keyof Entry]>

/** One closed build. */
export interface BuildRow {
  readonly run_id: string
  readonly outcome: string
  /** Time of its last entry before it closed. It decides to which period the build belongs. */
  readonly last_entry_ms: number
  readonly context_file_hash: string | null
  /** The first known one when it closed. */
  readonly project: string | null
  readonly duration_seconds: number
  readonly rework_steps: number
}

export interface RowSink {
  /** `spot` says where the entry stands, and when it counts. */
  entry(row: EntryRow, spot: HistorySpot): void
  build(row: BuildRow): void
}

export interface RowsDeps {
  readonly history: Pick<History, 'entries' | 'lines'>
  readonly sink: RowSink
  readonly builds: Builds
  readonly supplement: Supplement
  readonly progress: Progress
  /** An entry never counts later than this. */
  readonly nowMs: number
  /**
   * How long after its timeout a build that pauses stays open for entries that come late, in milliseconds. When its next
   * entry shows that it paused, it has closed at the pause all the same.
   */
  readonly settleMs: number
  /** Writes the builds, so that memory need not hold those that have closed; absent: memory does. */
  readonly stage?: (() => void) | undefined
  readonly stopped: () => boolean
}

/** The builds are written after this many entries. */
const STAGE_EVERY = 100_000

/** Yields to the event loop after this many entries. */
const PAUSE_EVERY = 4_096

/**
 * Passes the history in merged order through the state machine of `watch`, as if each line were read when it counts.
 */
export async function attributeRows(deps: RowsDeps): Promise<void> {
  const { history, sink, progress, builds } = deps
  let seq = 0
  for (const { text, ...spot } of history.lines()) {
    const parsed = parseLine(text)
    if (!parsed.ok) throw new Error('a line that was valid a moment ago no longer is')
    const atMs = Math.min(spot.timeMs, deps.nowMs)
    if (deps.settleMs === 0 || seq % PAUSE_EVERY === 0) closeIdle(builds, sink, atMs - deps.settleMs)
    const entry = deps.supplement.complete(parsed.entry, spot.place.path)
    const paused = builds.expireOne(entry.runId, atMs)
    if (paused !== undefined) sink.build(buildRow(paused))
    const attributed = builds.attribute(entry, { nowMs: atMs, firstPass: false })
    sink.entry(entryRow(seq++, runKey(parsed.entry.runId), attributed), spot)
    if (attributed.closed !== undefined) sink.build(buildRow(attributed.closed))
    if (seq % STAGE_EVERY === 0) deps.stage?.()
    if (seq % PAUSE_EVERY === 0) {
      progress.update('attributing', seq, history.entries, 'entries')
      await new Promise(setImmediate)
      if (deps.stopped()) return
    }
  }
}

/** Closes the builds that have been idle for longer than the timeout at this moment. */
export function closeIdle(builds: Builds, sink: RowSink, nowMs: number): void {
  for (const build of builds.expire(nowMs)) sink.build(buildRow(build))
}

function entryRow(
  seq: number,
  runId: string,
  attributed: AttributedEntry,
): EntryRow & Record<ShownColumn, unknown> {
  const { entry } = attributed
  return {
    seq,
    run_id: runId,
    ts_ms: entry.timestampMs,
    step: labelValue(entry.step),
    phase: attributed.phase,
    status: entry.status,
    error_type: labelValue(attributed.errorType),
    context_file_hash: attributed.contextFileHash ?? null,
    prompt_tokens: entry.promptTokens ?? null,
    cached_tokens: entry.cachedTokens ?? null,
    completion_tokens: entry.completionTokens ?? null,
    total_tokens: entry.spentTokens ?? null,
    context_tokens: entry.contextTokens ?? null,
    instruction_tokens: entry.instructionTokens ?? null,
    other_tokens: entry.otherTokens ?? null,
    instruction_version:
      attributed.instructionVersion === undefined ? null : labelValue(attributed.instructionVersion),
    instruction_assignment: entry.instructionAssignment ?? null,
    project: attributed.project === undefined ? null : labelValue(attributed.project),
    model: entry.model === undefined ? null : labelValue(entry.model),
    error_log_chars: attributed.errorLogChars ?? null,
    rework_cost_factor: attributed.reworkCostFactor ?? null,
    files_touched: entry.filesTouched ?? null,
    duration_seconds: attributed.durationSeconds ?? null,
    cost_usd: entry.costUsd ?? null,
  }
}

export const buildRow = (build: ClosedBuild): BuildRow => ({
  run_id: build.runId,
  outcome: build.outcome,
  last_entry_ms: build.lastEntryMs,
  context_file_hash: build.contextFileHash ?? null,
  project: build.project === undefined ? null : labelValue(build.project),
  duration_seconds: build.durationSeconds,
  rework_steps: build.reworkSteps,
})
