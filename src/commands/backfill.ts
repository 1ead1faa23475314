import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { createBlocks, requirePromtool } from '../backfill/blocks.ts'
import { readManifest, writeManifest, type Manifest } from '../backfill/manifest.ts'
import { writeOpenMetrics } from '../backfill/open-metrics.ts'
import { replay, type Replayed } from '../backfill/replay.ts'
import type { Clock } from '../clock.ts'
import { historyFlags, parseMoment, requireOrder } from '../config/history-config.ts'
import { parseDuration } from '../config/units.ts'
import { UsageError, watchConfigSchema } from '../config/watch-config.ts'
import { requireWritableDirectory } from '../config/writable.ts'
import { leftOut } from '../history/left-out.ts'
import { createProgress } from '../history/progress.ts'
import { createLogEvents, type Logger } from '../log.ts'
import { openStore } from '../state/store.ts'

const { maxContextHashes, maxSteps, maxErrorTypes, maxInstructionVersions, contextIdle } =
  watchConfigSchema.shape

const absolute = z
  .string()
  .min(1)
  .transform((directory) => path.resolve(directory))

/** Everything that `backfill` can be told; every value is text here, as flags are. */
export const backfillOptions = z.strictObject({
  ...historyFlags,
  maxContextHashes,
  maxSteps,
  maxErrorTypes,
  maxInstructionVersions,
  contextIdle,
  out: absolute,
  state: absolute.optional(),
  prometheusData: absolute.optional(),
  promtool: z.string().min(1).prefault('promtool'),
  keep: z.boolean().prefault(false),
  step: z
    .string()
    .prefault('4m')
    .transform((text, context) => {
      const step = parseDuration(text)
      // Prometheus forgets a series that has no sample for five minutes.
      if (step !== undefined && step >= 1_000 && step <= 240_000) return step
      context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is not a duration from 1s to 4m` })
      return z.NEVER
    }),
  since: z.string().optional(),
  until: z.string().optional(),
  job: z.string().min(1).prefault('audit-trace-exporter'),
  instance: z.string().min(1).prefault('audit-trace-exporter'),
})

export type BackfillOptions = z.output<typeof backfillOptions>

export interface BackfillDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
  readonly print: (text: string) => void
  readonly complain: (line: string) => void
  readonly rewrite?: ((line: string) => void) | undefined
}

/** Prometheus keeps the latest hours in memory and takes no blocks that overlap with them. */
const HEAD_MS = 3 * 3_600_000

/**
 * Writes the history as OpenMetrics files, one for each day, and with `prometheusData` as blocks there; with
 * `state` it leaves the totals from which `watch` goes on. Returns whether everything could be read and imported.
 * Whatever can be known to fail, fails before the replay.
 */
export async function backfill(options: BackfillOptions, deps: BackfillDeps): Promise<boolean> {
  const { clock, complain } = deps
  const nowMs = clock.wallMs()
  const startedMs = clock.monotonicMs()
  const before = readManifest(options.out)
  const end = lastMoment(options, before, nowMs)
  const sinceMs = firstMoment(options, before, nowMs)
  requireOrder(sinceMs, end.untilMs)
  const makesState = options.state !== undefined && !stateIsOurs(options.state, before)
  requireWritableDirectory('--out', options.out)
  if (options.prometheusData !== undefined) {
    requireWritableDirectory('--prometheus-data', options.prometheusData)
    await requirePromtool(options.promtool)
  }
  const work = makeWorkplace(makesState ? options.state : undefined)
  const progress = createProgress({ monotonicMs: () => clock.monotonicMs(), rewrite: deps.rewrite })
  const manifest = nextManifest(options, before, { ...end, sinceMs })
  const written: string[] = []
  let faults = 0
  let samples = 0
  const fault = (line: string): void => {
    faults++
    complain(line)
  }
  try {
    const store = openStore(work.directory)
    let replayed: Replayed
    try {
      replayed = await replay(
        {
          ...options,
          stepMs: options.step,
          sinceMs,
          untilMs: end.untilMs,
          asOfMs: end.asOfMs,
          targetLabels: [
            ['instance', options.instance],
            ['job', options.job],
          ],
        },
        {
          store,
          progress,
          nowMs,
          events: createLogEvents(deps.log, () => undefined, clock),
          stopped: () => deps.signal.aborted,
          onFault: (where, cause) => fault(`${where}: ${cause}`),
          onDay(day) {
            const name = new Date(day.firstTickMs).toISOString().slice(0, 10)
            const made = writeOpenMetrics(fileOf(options.out, name), day)
            samples += made.samples
            written.push(name)
            manifest.days[name] = { ...made, imported: before?.days[name]?.imported ?? {} }
          },
        },
      )
    } finally {
      store.close()
    }
    writeManifest(options.out, manifest)
    if (options.prometheusData !== undefined)
      await importDays(options, options.prometheusData, { manifest, written }, deps, progress, fault)
    if (options.state !== undefined && makesState) {
      fs.renameSync(path.join(work.directory, STATE_FILE), path.join(options.state, STATE_FILE))
      manifest.state = options.state
      writeManifest(options.out, manifest)
    }
    progress.end()
    tell(options, deps, {
      replayed,
      written,
      samples,
      seconds: (clock.monotonicMs() - startedMs) / 1000,
      end,
      makesState,
    })
    return faults === 0
  } finally {
    work.remove()
  }
}

const STATE_FILE = 'state.sqlite'

const fileOf = (out: string, day: string): string => path.join(out, `audit-${day}.om`)

interface End {
  /** The last samples are no later. */
  readonly untilMs: number
  /** The moment as of which the history is taken. */
  readonly asOfMs: number
  /** An earlier run has set both. */
  readonly pinned: boolean
}

/** The last three hours are Prometheus' own; a second run ends where the first one did, and sees what that saw. */
function lastMoment(options: BackfillOptions, before: Manifest | undefined, nowMs: number): End {
  const asked = parseMoment('--until', options.until, nowMs)
  if (before !== undefined && (options.until === undefined || options.until === before.until)) {
    return {
      untilMs: Math.min(before.until_ms, nowMs - HEAD_MS),
      asOfMs: Math.min(before.now_ms ?? before.until_ms + HEAD_MS, nowMs),
      pinned: true,
    }
  }
  return { untilMs: Math.min(asked ?? nowMs, nowMs - HEAD_MS), asOfMs: nowMs, pinned: false }
}

const firstMoment = (
  options: BackfillOptions,
  before: Manifest | undefined,
  nowMs: number,
): number | undefined =>
  options.since !== undefined && options.since === before?.since
    ? before.since_ms
    : parseMoment('--since', options.since, nowMs)

/**
 * What earlier runs have written and imported stays known, whatever part of it this run is about, and so does
 * the end of the run that reached furthest.
 */
function nextManifest(
  options: BackfillOptions,
  before: Manifest | undefined,
  { untilMs, asOfMs, sinceMs }: End & { readonly sinceMs: number | undefined },
): Manifest {
  const furthest =
    before !== undefined && before.until_ms >= untilMs
      ? before
      : { until_ms: untilMs, now_ms: asOfMs, until: options.until }
  const first =
    sinceMs === undefined
      ? { since: before?.since, since_ms: before?.since_ms }
      : { since: options.since, since_ms: sinceMs }
  return {
    format: 1,
    until_ms: furthest.until_ms,
    ...(furthest.now_ms !== undefined && { now_ms: furthest.now_ms }),
    ...(first.since !== undefined && first),
    ...(furthest.until !== undefined && { until: furthest.until }),
    ...(before?.state !== undefined && { state: before.state }),
    days: { ...before?.days },
  }
}

/** Whether the state is there already, from an earlier run. Throws where it is anybody else's. */
function stateIsOurs(state: string, before: Manifest | undefined): boolean {
  if (!fs.existsSync(path.join(state, STATE_FILE))) return false
  if (before?.state === state) return true
  throw new UsageError(
    `--state: ${state} already holds totals, and importing into them would count twice. Give an empty directory, or ` +
      'leave --state out and end the history where that state began, with --until.',
  )
}

interface Workplace {
  readonly directory: string
  /** Takes away all but a state that has been moved to its place. */
  remove(): void
}

/** Where the state grows: inside its own directory, as a move from anywhere else fails where that is a mount point. */
function makeWorkplace(state: string | undefined): Workplace {
  const isNew = state !== undefined && !fs.existsSync(state)
  if (state !== undefined) requireWritableDirectory('--state', state)
  const prefix = state === undefined ? path.join(os.tmpdir(), 'audit-') : `${state}${path.sep}.`
  const directory = fs.mkdtempSync(`${prefix}backfill-`)
  return {
    directory,
    remove() {
      fs.rmSync(directory, { recursive: true, force: true })
      if (state !== undefined && isNew && fs.readdirSync(state).length === 0) fs.rmdirSync(state)
    },
  }
}

async function importDays(
  options: BackfillOptions,
  data: string,
  { manifest, written }: { readonly manifest: Manifest; readonly written: readonly string[] },
  { signal }: BackfillDeps,
  progress: ReturnType<typeof createProgress>,
  fault: (line: string) => void,
): Promise<void> {
  for (const [n, day] of written.entries()) {
    const { sha256, imported } = manifest.days[day] as Manifest['days'][string]
    if (signal.aborted)
      throw new Error('stopped before all days were imported; run the command again to go on')
    progress.update('importing', n, written.length, 'days')
    const file = fileOf(options.out, day)
    if (imported[data] !== undefined && imported[data] !== sha256) {
      fault(
        `${file}: not imported: ${data} already has this day with other values, and two values for one moment are worse than ` +
          'old ones. Remove the blocks of that day there (promtool tsdb list) and its entry in backfill.json, then run again.',
      )
      continue
    }
    if (imported[data] === undefined) {
      await createBlocks(options.promtool, file, data)
      imported[data] = sha256
      writeManifest(options.out, manifest)
    }
    if (!options.keep) fs.rmSync(file, { force: true })
  }
}

interface Outcome {
  readonly replayed: Replayed
  /** The days that this run wrote, in order. */
  readonly written: readonly string[]
  readonly samples: number
  readonly seconds: number
  readonly end: End
  readonly makesState: boolean
}

function tell(options: BackfillOptions, { print }: BackfillDeps, outcome: Outcome): void {
  const { replayed, written, samples, seconds, end, makesState } = outcome
  const { history, afterLast, beforeFirst, inFuture } = replayed
  const iso = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
  const lines = [
    `${history.entries} entries in ${history.files.length} files, ${history.rejectedLines} lines rejected: ` +
      `${samples} samples for ${written.length} days (${written[0] ?? 'none'} to ${written.at(-1) ?? 'none'}) in ${seconds.toFixed(1)} s.`,
    ...leftOut(history, options),
  ]
  if (end.pinned) {
    lines.push(
      `The history ends at ${iso(end.untilMs)}, where the first run into ${options.out} ended: what came later is the exporter's to tell.`,
    )
  }
  if (history.outOfOrder > 0)
    lines.push(`${history.outOfOrder} entries stood out of order and were put in order of their time.`)
  if (beforeFirst > 0)
    lines.push(
      `${beforeFirst} entries are older than --since: they are in the totals that the first samples show.`,
    )
  if (afterLast > 0)
    lines.push(
      `${afterLast} entries are later than the last samples (${iso(end.untilMs)}): they are in the totals, not in the history.`,
    )
  if (inFuture > 0)
    lines.push(`${inFuture} entries claim to be from the future: they are in the totals, counted as of now.`)
  lines.push('Next:')
  if (options.prometheusData === undefined) {
    lines.push(
      `  for file in ${quoted(options.out)}/audit-*.om; do promtool tsdb create-blocks-from openmetrics "$file" DATA_DIRECTORY; done`,
    )
  } else {
    const where = options.keep ? ` The files are kept in ${options.out}.` : ''
    lines.push(
      `  The blocks are in ${options.prometheusData}; Prometheus shows them within minutes, or when it starts.${where}`,
    )
  }
  lines.push(
    '  Start Prometheus with --storage.tsdb.retention.time long enough: the default drops what is older than 15 days.',
  )
  if (options.state !== undefined) {
    lines.push(
      makesState
        ? `  audit-trace-exporter watch ${options.paths.map(quoted).join(' ')} --state ${quoted(options.state)}   goes on from these totals.`
        : `  ${options.state} was made by an earlier run and is left as it is.`,
    )
  }
  print(lines.join('\n'))
}

/** As a shell takes it for one word. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
