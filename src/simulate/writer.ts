import { appendFile, readdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeDirectory } from '../make-directory.ts'
import { type SimulatedOutcome, simulateBuild } from './builds.ts'
import type { SimulationClock } from './clock.ts'
import type { ContextRevision, SimulationProfile } from './profile.ts'
import { PROJECTS } from './projects.ts'
import { createRandom } from './random.ts'

/** Name of the file that each simulated build appends to, in its own directory. */
export const TRACE_FILE = 'audit_trace.jsonl'

export interface WriterOptions {
  /** Created if missing. Each build gets `<directory>/<project>-<n>/audit_trace.jsonl`. */
  readonly directory: string
  /** How many builds to write; `Infinity` writes until stopped. */
  readonly builds: number
  /** Number of concurrent builds. */
  readonly parallel: number
  /** Ratio of simulated to real time: at 60, a build of 10 minutes is written in 10 seconds. */
  readonly speed: number
  /** The same seed gives the same builds (outcomes, sizes, order), apart from run ids and timestamps. */
  readonly seed: string | number
  /** Share of the lines (0 to 1) that are written in two parts with a pause between them, as slow writers do. */
  readonly tornWriteShare: number
  /** Number of finished builds to keep; the directories of the oldest are removed. `Infinity` keeps all. */
  readonly keep: number
  /** Revisions of GEMINI.md, oldest first; used in turn, repeatedly. */
  readonly contexts: readonly ContextRevision[]
  /** Index of the revision to start with. Default: 0, the oldest. */
  readonly firstContext?: number
  /** Number of consecutive builds that start under one revision; `Infinity` keeps the first one. */
  readonly buildsPerContext: number
  /** The spike is given in simulated time, which starts at the wall clock and runs `speed` times as fast. */
  readonly profile: SimulationProfile
}

/** What a writer did; bytes and entries are those written to the files, including removed ones. */
export interface WriterSummary {
  /** Completely written builds; builds that were interrupted by a stop are only in `startedBuilds`. */
  readonly endedBuilds: number
  /** Builds of which at least one line was written. */
  readonly startedBuilds: number
  readonly entries: number
  readonly bytes: number
  /** Of the completely written builds. */
  readonly outcomes: Readonly<Record<SimulatedOutcome, number>>
}

export interface WriterDependencies {
  readonly clock: SimulationClock
  /** Stops writing: no new line is started, and a partial line is finished. */
  readonly signal: AbortSignal
  /** Called for each completely written build. */
  readonly onBuildEnded?: (build: { readonly path: string; readonly outcome: SimulatedOutcome }) => void
}

/** Longest pause within a torn line, in real milliseconds. */
const TORN_PAUSE_MS = 200
/** Longest pause between two builds of one pipeline, in simulated time. */
const BUILD_GAP_MS = 60_000

/**
 * Appends simulated builds to files as pipelines do, in real time times `speed`, until all are written or the
 * signal is aborted; every file then ends with a complete line. Timestamps are the wall-clock time of writing, so that
 * live dashboards show the entries as current; `duration_ms` is simulated time.
 *
 * Directory numbers continue after the highest existing one, and run ids are new at every start, so a restart
 * adds builds and never continues one. A file system error stops all builds and is thrown with the name of the file.
 */
export async function writeBuilds(
  options: WriterOptions,
  { clock, signal, onBuildEnded }: WriterDependencies,
): Promise<WriterSummary> {
  const { directory, speed, parallel, profile, contexts, seed, firstContext = 0 } = options
  await attempt('create', directory, () => makeDirectory(directory))
  const numbersBefore = await highestNumber(directory)
  const startedAt = clock.now()
  const startedAtHex = startedAt.toString(16)

  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  const outcomes = { first_pass: 0, after_rework: 0, failed: 0, abandoned: 0 }
  const endedDirectories: string[] = []
  let startedBuilds = 0
  let endedBuilds = 0
  let entries = 0
  let bytes = 0

  const wallOf = (simulatedMs: number): number => startedAt + (simulatedMs - startedAt) / speed
  const simulatedNow = (): number => startedAt + (clock.now() - startedAt) * speed
  const sleepUntil = async (wallMs: number): Promise<void> => {
    const left = wallMs - clock.now()
    if (left > 0 && !stop.aborted) await clock.sleep(left, stop)
  }

  /** Appends one line, possibly in two parts; the second part is written even if the writer is stopped in between. */
  const append = async (path: string, line: Buffer, tearAt: number | undefined): Promise<void> => {
    if (tearAt === undefined) await appendTo(path, line)
    else {
      await appendTo(path, line.subarray(0, tearAt))
      await sleepUntil(clock.now() + (TORN_PAUSE_MS * tearAt) / line.length)
      await appendTo(path, line.subarray(tearAt))
    }
    entries += 1
    bytes += line.length
  }

  const writeBuild = async (index: number): Promise<void> => {
    const random = createRandom(`${seed}/${index}`)
    const project = random.pick(PROJECTS)
    const path = join(directory, `${project}-${numbersBefore + index + 1}`, TRACE_FILE)
    const steps = simulateBuild({
      random,
      profile,
      project,
      context: contextInTurn(contexts, firstContext + Math.floor(index / options.buildsPerContext)),
      startMs: Math.round(simulatedNow()),
      runId: `audited-build-${project}-${startedAtHex}-${index + 1}`,
    })
    let started = false
    let step = steps.next()
    while (!step.done) {
      await sleepUntil(wallOf(step.value.atMs))
      if (stop.aborted) return
      if (!started) {
        // Created only now, so that a build that is stopped before its first step leaves no empty directory.
        await attempt('create', dirname(path), () => makeDirectory(dirname(path)))
        startedBuilds += 1
        started = true
      }
      const timestamp = new Date(clock.now()).toISOString()
      const line = Buffer.from(`${JSON.stringify({ ...step.value.entry, timestamp })}\n`)
      const torn = random.chance(options.tornWriteShare)
      await append(path, line, torn ? random.integer(1, line.length - 1) : undefined)
      step = steps.next()
    }
    outcomes[step.value] += 1
    endedBuilds += 1
    onBuildEnded?.({ path, outcome: step.value })
    endedDirectories.push(dirname(path))
    await removeOldest()
  }

  const removeOldest = async (): Promise<void> => {
    while (endedDirectories.length > options.keep) {
      const oldest = endedDirectories.shift()
      if (oldest === undefined) return
      await attempt('remove', oldest, () => rm(oldest, { recursive: true, force: true }))
    }
  }

  let nextIndex = 0
  const pipeline = async (lane: number): Promise<void> => {
    const pauses = createRandom(`${seed}/pauses/${lane}`)
    while (!stop.aborted && nextIndex < options.builds) {
      const index = nextIndex
      nextIndex += 1
      await sleepUntil(clock.now() + pauses.integer(0, BUILD_GAP_MS) / speed)
      if (!stop.aborted) await writeBuild(index)
    }
  }

  const pipelines = Array.from({ length: parallel }, (_, lane) =>
    pipeline(lane).catch((error: unknown) => {
      failed.abort(error) // the first error is the one that counts
    }),
  )
  await Promise.all(pipelines)
  if (failed.signal.aborted) throw failed.signal.reason
  return { startedBuilds, endedBuilds, entries, bytes, outcomes }
}

const contextInTurn = (contexts: readonly ContextRevision[], turn: number): ContextRevision => {
  const context = contexts[turn % contexts.length]
  if (context === undefined) throw new RangeError('a simulation needs at least one context')
  return context
}

/** Returns the highest number at the end of a directory name, or 0. */
async function highestNumber(directory: string): Promise<number> {
  const names = await attempt('list', directory, () => readdir(directory))
  return names.reduce((highest, name) => Math.max(highest, Number(/-(\d{1,9})$/.exec(name)?.[1] ?? 0)), 0)
}

const appendTo = (path: string, bytes: Buffer): Promise<void> =>
  attempt('append to', path, () => appendFile(path, bytes))

async function attempt<T>(operation: string, path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const hint = 'is the directory writable, with room left on its disk?'
    throw new Error(`cannot ${operation} ${path}: ${reason}; ${hint}`, { cause })
  }
}
