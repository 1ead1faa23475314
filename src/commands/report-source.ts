import path from 'node:path'
import { createBuilds } from '../attribute/builds.ts'
import { DEFAULT_PHASE_RULES } from '../attribute/phase.ts'
import type { Database } from '../audits/database.ts'
import { databaseShare, summingShare, sumParts } from '../audits/memory.ts'
import { attributeRows, closeIdle } from '../audits/rows.ts'
import type { Report } from '../audits/schema.ts'
import { createSums } from '../audits/sums.ts'
import type { Period } from '../audits/views.ts'
import { UsageError } from '../config/usage-error.ts'
import { requireWritableDirectory } from '../config/writable.ts'
import { readHistory, type History } from '../history/history.ts'
import { leftOut } from '../history/left-out.ts'
import { SILENT } from '../history/recorder.ts'
import { counted } from '../render/format.ts'
import { createKeptReport, type KeptReport } from '../rows/kept-report.ts'
import { removeSums } from '../rows/kept-sums.ts'
import { findRows, inputOf, loadRows } from '../rows/load.ts'
import type { RowsDirectory } from '../rows/parquet.ts'
import { updateRows, type Updated } from '../rows/update.ts'
import { openStore, type Store } from '../state/store.ts'
import { openDatabase, storageFor, supplementOf, type Run } from './report-run.ts'

/** The rows of a report. */
export interface Source {
  /** Loads the rows. */
  readonly load: () => Promise<Database>
  /**
   * Present if sums of the last report are continued: removes them after a failure. What was loaded is closed, and the next
   * load sums up all rows.
   */
  readonly dropSums?: () => void
  /** The report of the last run, where one is kept. */
  readonly kept?: KeptReport
  readonly input: Report['input']
  /** What was left out, one sentence each. */
  readonly notes: readonly string[]
  readonly isComplete: boolean
}

/** Reads the traces, the rows, or what the traces have grown by and the rows. */
export function readSource(run: Run, period: Period): Promise<Source> {
  const { rows, paths } = run.options
  if (rows === undefined) return readTraces(run)
  return paths.length === 0 ? readRows(run, rows) : readGrown(run, rows, period)
}

async function readTraces(run: Run): Promise<Source> {
  const { options, deps, nowMs, progress, scratch } = run
  let faults = 0
  const stopped = (): boolean => deps.signal.aborted
  const history = await readHistory(options, {
    sink: SILENT,
    progress,
    scratch,
    nowMs,
    stopped,
    onFault(where, cause) {
      faults++
      deps.complain(`${where}: ${cause}`)
    },
  })
  run.entries = history.entries
  const directory = storageFor(run, 'report', history.entries)
  const database = await openDatabase(run, directory)
  const store = directory === undefined ? undefined : openStore(directory)
  try {
    await attributeHistory(run, history, database, store)
  } finally {
    // The audits need the memory.
    store?.close()
    history.close()
  }
  return {
    async load() {
      await database.limitMemory(summingShare(run.memoryBytes))
      run.progress.update('summing up', 0, history.entries, 'entries')
      await createSums(database, {
        closed: 'all_builds',
        parts: sumParts(history.entries, run.memoryBytes),
      })
      await database.limitMemory(databaseShare(run.memoryBytes))
      return database
    },
    input: {
      files: history.files.length,
      entries: history.entries,
      rejected_lines: history.rejectedLines,
      out_of_order: history.outOfOrder,
      in_future: history.inFuture,
      unfinished_lines: history.unfinished.lines,
      unfinished_bytes: history.unfinished.bytes,
      rotated_files: history.rotated.length,
    },
    notes: leftOut(history, options),
    isComplete: faults === 0,
  }
}

/** Fills the database with what the history has. The store takes the builds that have closed. */
async function attributeHistory(
  run: Run,
  history: History,
  database: Database,
  store: Store | undefined,
): Promise<void> {
  const { options, deps, nowMs, progress } = run
  const stopped = (): boolean => deps.signal.aborted
  const builds = createBuilds(store ?? { all: () => [] }, {
    timeoutMs: options.buildTimeout,
    phaseRules: [...options.phase, ...DEFAULT_PHASE_RULES],
  })
  await attributeRows({
    history,
    progress,
    nowMs,
    builds,
    settleMs: 0,
    stage: store && (() => store.stage([builds])),
    stopped,
    supplement: supplementOf(run),
    sink: database,
  })
  if (stopped()) throw new Error('Stopped before the report was finished.')
  closeIdle(builds, database, nowMs)
  database.flush()
}

/** Adds to the rows what the traces have grown by, and reads all rows. */
async function readGrown(run: Run, rows: string, period: Period): Promise<Source> {
  const { directory, updated } = await growRows(run, rows)
  const source = readDirectories(run, [{ place: directory, manifest: updated.manifest }], true)
  const { unfinished, rotated } = updated.growth
  return {
    ...source,
    kept: createKeptReport(directory, updated.manifest, period, run.nowMs),
    notes: [
      ...leftOut({ files: { length: source.input.files }, unfinished, rotated }, run.options),
      `${counted(updated.added, 'new entry', 'new entries')} added to the rows in ${directory}.`,
    ],
    isComplete: updated.isComplete,
  }
}

/** Adds to the rows in a directory what the traces have grown by. */
export async function growRows(
  run: Run,
  rows: string,
): Promise<{ readonly directory: string; readonly updated: Updated }> {
  const { options, deps } = run
  if (/[*?[]|^[a-z0-9]+:\/\//u.test(rows))
    throw new UsageError(
      '--rows: with paths of traces, give one local directory; a pattern or an address can only be read.',
    )
  const directory = path.resolve(rows)
  requireWritableDirectory('--rows', directory)
  const updated = await updateRows(
    { ...options, directory },
    {
      progress: run.progress,
      scratch: run.scratch,
      nowMs: run.nowMs,
      monotonicMs: () => deps.clock.monotonicMs(),
      stopped: () => deps.signal.aborted,
      complain: deps.complain,
      reached: deps.reached,
      supplement: supplementOf(run),
      openDatabase: (entries) =>
        run.open({
          memoryBytes: run.memoryBytes,
          directory: storageFor(run, 'growth', entries),
          withSpots: true,
        }),
    },
  )
  return { directory, updated }
}

async function readRows(run: Run, pattern: string): Promise<Source> {
  const finder = await run.open({ memoryBytes: run.memoryBytes })
  try {
    return readDirectories(run, await findRows(finder, pattern), false)
  } finally {
    finder.close()
  }
}

function readDirectories(run: Run, directories: readonly RowsDirectory[], keeps: boolean): Source {
  const input = inputOf(directories)
  run.entries = input.entries
  let continues = keeps
  const dropSums = (): void => {
    continues = false
    for (const each of run.opened.splice(0).toReversed()) each.close()
    for (const directory of directories) removeSums(directory)
  }
  return {
    ...(keeps && { dropSums }),
    async load() {
      const database = await openDatabase(run, storageFor(run, 'report', input.entries), true)
      run.progress.update('loading rows', 0, input.entries, 'entries')
      await database.limitMemory(summingShare(run.memoryBytes))
      const parts = sumParts(input.entries, run.memoryBytes)
      await loadRows(database, directories, { nowMs: run.nowMs, keeps: continues, parts })
      await database.limitMemory(databaseShare(run.memoryBytes))
      if (run.deps.signal.aborted) throw new Error('Stopped before the report was finished.')
      return database
    },
    input,
    notes: [],
    isComplete: true,
  }
}
