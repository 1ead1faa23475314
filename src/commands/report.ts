import { writeFileSync } from 'node:fs'
import { DEFAULT_PHASE_RULES } from '../attribute/phase.ts'
import { loadDatabase, type Database, type OpenDatabase } from '../audits/database.ts'
import { renderMarkdown } from '../audits/markdown.ts'
import { explainMemory, fitsInMemory, mayFitInMemory, memoryBudget } from '../audits/memory.ts'
import { makeReport } from '../audits/report.ts'
import { attributeRows } from '../audits/rows.ts'
import type { Report } from '../audits/schema.ts'
import type { Clock } from '../clock.ts'
import { parseMoment, requireOrder } from '../config/period.ts'
import { readPriceList } from '../config/prices.ts'
import { requireWritableFile } from '../config/writable.ts'
import type { PriceList } from '../entry/prices.ts'
import { createSupplement } from '../entry/supplement.ts'
import { readHistory, type History } from '../history/history.ts'
import { leftOut } from '../history/left-out.ts'
import { createProgress, type Progress } from '../history/progress.ts'
import { createScratch, explainSpace, type Scratch } from '../history/scratch.ts'
import { describeUnpriced } from '../log.ts'
import { counted } from '../render/format.ts'
import { openStore, type Store } from '../state/store.ts'
import type { LineSink } from '../tail/reader.ts'
import type { ReportOptions } from './report-flags.ts'

export interface ReportDeps {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly print: (text: string) => void
  readonly complain: (line: string) => void
  readonly rewrite?: ((line: string) => void) | undefined
}

/**
 * Reads all traces below the paths and writes the four audits as Markdown, HTML or JSON.
 * Returns whether everything could be read. Before reading anything it throws a `UsageError` for an invalid moment,
 * `MissingDuckDb` if that is not installed, and an error that names the flag if an output file is not writable; after
 * reading, an error that says what to do if memory or the space for temporary files is too little.
 */
export async function report(options: ReportOptions, deps: ReportDeps): Promise<boolean> {
  const nowMs = deps.clock.wallMs()
  const period = {
    sinceMs: parseMoment('--since', options.since, nowMs),
    untilMs: parseMoment('--until', options.until, nowMs),
  }
  requireOrder(period.sinceMs, period.untilMs)
  if (options.out !== undefined) requireWritableFile('--out', options.out)
  if (options.export !== undefined) requireWritableFile('--export', options.export)
  const startedMs = deps.clock.monotonicMs()
  const run = await openRun(options, deps, nowMs)
  try {
    const { history, database } = await readRows(run)
    if (options.export !== undefined) await database.exportParquet(options.export)
    const made = await makeReport(database, {
      period,
      nowMs,
      progress: run.progress,
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
    })
    run.progress.end()
    const text = await render(made, options.format)
    if (options.out === undefined) deps.print(text.trimEnd())
    else writeFileSync(options.out, text)
    for (const line of leftOut(history, options)) deps.complain(line)
    const seconds = (deps.clock.monotonicMs() - startedMs) / 1000
    const where = options.out === undefined ? '' : `; written to ${options.out}`
    deps.complain(
      `${counted(history.files.length, 'file')}, ${counted(history.entries, 'entry', 'entries')}, ${counted(history.rejectedLines, 'rejected line')}, ` +
        `${counted(made.insights.length, 'insight')} in ${seconds.toFixed(1)} s${where}`,
    )
    return run.faults === 0
  } catch (error) {
    throw explainSpace(explainMemory(error, run.history?.entries ?? 0, run.memoryBytes), options.temp)
  } finally {
    run.close()
  }
}

/** What one run has opened. */
interface Run {
  readonly options: ReportOptions
  readonly deps: ReportDeps
  readonly nowMs: number
  readonly memoryBytes: number
  readonly progress: Progress
  readonly scratch: Scratch
  readonly open: OpenDatabase
  readonly priceList: PriceList | undefined
  history: History | undefined
  database: Database | undefined
  store: Store | undefined
  /** Files that could not be read. */
  faults: number
  close(): void
}

async function openRun(options: ReportOptions, deps: ReportDeps, nowMs: number): Promise<Run> {
  const scratch = createScratch(options.temp)
  const run: Run = {
    options,
    deps,
    nowMs,
    memoryBytes: memoryBudget(options.memory),
    progress: createProgress({ ...deps, monotonicMs: () => deps.clock.monotonicMs() }),
    scratch,
    priceList: await readPriceList(options.prices),
    open: await loadDatabase(),
    history: undefined,
    database: undefined,
    store: undefined,
    faults: 0,
    close() {
      run.history?.close()
      run.database?.close()
      run.store?.close()
      scratch.remove()
    },
  }
  return run
}

/** Reads and attributes the history; the rows stand in the database then. */
async function readRows(run: Run): Promise<{ readonly history: History; readonly database: Database }> {
  const { options, deps, nowMs, progress, scratch } = run
  const stopped = (): boolean => deps.signal.aborted
  const history = await readHistory(options, {
    sink: SILENT,
    progress,
    scratch,
    nowMs,
    stopped,
    onFault(path, cause) {
      run.faults++
      deps.complain(`${path}: ${cause}`)
    },
  })
  run.history = history
  const directory = storageFor(history.entries, run)
  const database = await run.open({ memoryBytes: run.memoryBytes, directory })
  run.database = database
  run.store = directory === undefined ? undefined : openStore(directory)
  await attributeRows({
    history,
    progress,
    nowMs,
    buildTimeoutMs: options.buildTimeout,
    phaseRules: [...options.phase, ...DEFAULT_PHASE_RULES],
    stopped,
    store: run.store,
    supplement: createSupplement({ ...options, priceList: run.priceList }, (model, reason) =>
      deps.complain(describeUnpriced(model, reason)),
    ),
    sink: database,
  })
  if (stopped()) throw new Error('Stopped before the report was finished.')
  database.flush()
  return { history, database }
}

/** The directory for the rows; `undefined` if memory holds them. */
function storageFor(entries: number, { memoryBytes, scratch }: Run): string | undefined {
  if (fitsInMemory(entries, memoryBytes)) return undefined
  try {
    return scratch.directory()
  } catch (error) {
    if (mayFitInMemory(entries, memoryBytes)) return undefined
    throw error
  }
}

async function render(made: Report, format: ReportOptions['format']): Promise<string> {
  if (format === 'json') return `${JSON.stringify(made, null, 2)}\n`
  if (format === 'md') return renderMarkdown(made)
  // The chart library is large: it is loaded only for HTML.
  const { renderHtml } = await import('../audits/html-report.ts')
  return renderHtml(made)
}

/** The history counts rejected lines; `check` prints them. */
const SILENT: LineSink = {
  line: () => 'rejected',
  invalidUtf8: () => 'rejected',
  tooLong: () => undefined,
  bytes: () => undefined,
  truncated: () => undefined,
}
