import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { auditLine, TRACE_FILE_NAME } from '../capture/trace/log-audit-entry.ts'
import { withFileLock } from '../capture/trace/file-lock.ts'
import { makeDirectory } from '../make-directory.ts'
import { appendMissing, type TraceLine } from './append-missing.ts'
import { stepsOfHistory, type HistoryEvent, type LoggedStep, type RunSteps } from './history.ts'

/** One run of a workflow. */
export interface Run {
  readonly workflowId: string
  readonly runId: string
  /** In milliseconds since 1970. */
  readonly startMs: number
}

export interface CollectOptions {
  /** Each chain of runs gets `out/WORKFLOW ID/FIRST RUN ID/audit_trace.jsonl`. */
  readonly out: string
  /** The types of activities that log an entry. */
  readonly activities: readonly string[]
  /** Also what was written to a directory that still has its trace. */
  readonly all: boolean
}

export interface CollectDeps {
  readonly runs: AsyncIterable<Run>
  /** The events of a run; `undefined` if the server has deleted them. */
  readonly fetchEvents: (
    run: Pick<Run, 'workflowId' | 'runId'>,
  ) => Promise<readonly HistoryEvent[] | undefined>
  readonly warn: (event: string, fields: Record<string, unknown>, message: string) => void
  readonly onProgress?: (done: number, total: number) => void
  readonly signal: AbortSignal
}

export interface CollectSummary {
  readonly workflows: number
  readonly runs: number
  readonly written: number
  /** Entries that the files had already. */
  readonly present: number
  /** Entries left out because the directory that they were written to still has its trace. */
  readonly standing: number
  /** Entries that could not be read or written, and histories that the server has deleted. */
  readonly missing: number
}

const AT_ONCE = 8
/** How long a second `collect` into the same directory waits for the first. */
const STANDSTILL_MS = 30_000

/**
 * Rebuilds traces from the histories of workflows: every entry that a completed `logAuditEntry` activity logged, once,
 * however often the run was continued as new or reset. Entries that the files have already are not written again.
 */
export async function collectTraces(options: CollectOptions, deps: CollectDeps): Promise<CollectSummary> {
  await makeDirectory(options.out)
  const lock = path.join(options.out, '.collect.lock')
  return await withFileLock(lock, () => collectAll(options, deps), { standstillMs: STANDSTILL_MS })
}

async function collectAll(options: CollectOptions, deps: CollectDeps): Promise<CollectSummary> {
  const workflows = await runsByWorkflow(deps)
  const total = [...workflows.values()].reduce((sum, runs) => sum + runs.length, 0)
  const sum = { workflows: workflows.size, runs: total, written: 0, present: 0, standing: 0, missing: 0 }
  let done = 0
  const waiting = workflows.entries()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const [workflowId, runs] of waiting) {
        deps.signal.throwIfAborted()
        const counts = await collectWorkflow(workflowId, runs, options, deps)
        for (const key of ['written', 'present', 'standing', 'missing'] as const) sum[key] += counts[key]
        deps.onProgress?.((done += runs.length), total)
      }
    }),
  )
  return sum
}

async function runsByWorkflow({ runs, signal }: CollectDeps): Promise<Map<string, Run[]>> {
  const byWorkflow = new Map<string, Run[]>()
  for await (const run of runs) {
    signal.throwIfAborted()
    const others = byWorkflow.get(run.workflowId)
    if (others === undefined) byWorkflow.set(run.workflowId, [run])
    else others.push(run)
  }
  for (const runs of byWorkflow.values()) runs.sort((a, b) => a.startMs - b.startMs)
  return byWorkflow
}

type Counts = Pick<CollectSummary, 'written' | 'present' | 'standing' | 'missing'>

async function collectWorkflow(
  workflowId: string,
  runs: readonly Run[],
  options: CollectOptions,
  deps: CollectDeps,
): Promise<Counts> {
  const counts = { written: 0, present: 0, standing: 0, missing: 0 }
  const chains = new Map<string, LoggedStep[]>()
  const waiting = runs.map(({ runId }) => runId)
  const seen = new Set<string>()
  for (const runId of waiting) {
    if (seen.has(runId)) continue
    seen.add(runId)
    const run = await readRun({ workflowId, runId }, options.activities, deps)
    counts.missing += run?.unreadable.length ?? 1
    if (run === undefined) continue
    // What a run logged after the point to which it was reset is in its own history only.
    waiting.push(...run.baseRunIds)
    chains.set(run.firstRunId, [...(chains.get(run.firstRunId) ?? []), ...run.steps])
  }
  for (const [firstRunId, steps] of chains) {
    const gone = options.all ? steps : steps.filter(({ workingDir }) => !hasTrace(workingDir))
    counts.standing += once(steps).length - once(gone).length
    const directory = path.join(options.out, directoryName(workflowId), directoryName(firstRunId))
    const file = path.join(directory, TRACE_FILE_NAME)
    const lines = linesOf(once(gone), file, deps, () => counts.missing++)
    if (lines.length === 0) continue
    await makeDirectory(directory)
    const written = await appendMissing(file, lines)
    counts.written += written
    counts.present += lines.length - written
  }
  return counts
}

async function readRun(
  run: Pick<Run, 'workflowId' | 'runId'>,
  activities: readonly string[],
  { fetchEvents, warn }: CollectDeps,
): Promise<RunSteps | undefined> {
  const events = await fetchEvents(run)
  if (events === undefined) {
    warn('history_gone', { ...run }, `The server has no history of ${run.workflowId} any more.`)
    return undefined
  }
  const steps = stepsOfHistory(run.runId, events, activities)
  for (const cause of steps.unreadable)
    warn('entry_not_collected', { ...run, cause }, `An entry of ${run.workflowId} is missing: ${cause}.`)
  return steps
}

/** Each call once, in the order in which they ended. */
function once(steps: readonly LoggedStep[]): LoggedStep[] {
  const byId = new Map(steps.map((step) => [step.id, step]))
  return [...byId.values()].sort((a, b) => a.completedMs - b.completedMs)
}

const hasTrace = (workingDir: string | undefined): boolean =>
  workingDir !== undefined && existsSync(path.join(workingDir, TRACE_FILE_NAME))

function linesOf(
  steps: readonly LoggedStep[],
  file: string,
  { warn }: CollectDeps,
  onRefused: () => void,
): TraceLine[] {
  return steps.flatMap(({ entry, id, completedMs }) => {
    try {
      const now = (): Date => new Date(completedMs)
      return [{ id, line: auditLine(file, entry, { idempotencyKey: id, now }).line }]
    } catch (error) {
      onRefused()
      warn('entry_not_collected', { id, cause: String(error) }, (error as Error).message)
      return []
    }
  })
}

const NAME_LIMIT = 200

/** A name that every file system takes, different for different ids. */
function directoryName(id: string): string {
  const name = encodeURIComponent(id).replaceAll(/^\.|\*/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
  if (name.length <= NAME_LIMIT) return name
  return `${name.slice(0, NAME_LIMIT - 17)}-${createHash('sha256').update(id).digest('hex').slice(0, 16)}`
}
