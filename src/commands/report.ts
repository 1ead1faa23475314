import { writeFileSync } from 'node:fs'
import { DEFAULT_PHASE_RULES } from '../attribute/phase.ts'
import { openDatabase } from '../audits/database.ts'
import { renderMarkdown } from '../audits/markdown.ts'
import { explainMemory, requireMemory } from '../audits/memory.ts'
import { makeReport } from '../audits/report.ts'
import { attributeRows } from '../audits/rows.ts'
import type { Report } from '../audits/schema.ts'
import type { Clock } from '../clock.ts'
import { parseMoment, requireOrder } from '../config/period.ts'
import { readPriceList } from '../config/prices.ts'
import { requireWritableFile } from '../config/writable.ts'
import { createSupplement } from '../entry/supplement.ts'
import { readHistory } from '../history/history.ts'
import { leftOut } from '../history/left-out.ts'
import { createProgress } from '../history/progress.ts'
import { describeUnpriced } from '../log.ts'
import { counted } from '../render/format.ts'
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
 * reading, an error that says how much memory is needed if a container's limit is too low.
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
  const priceList = await readPriceList(options.prices)
  const startedMs = deps.clock.monotonicMs()
  const progress = createProgress({ monotonicMs: () => deps.clock.monotonicMs(), rewrite: deps.rewrite })
  let faults = 0
  let entries = 0
  const database = await openDatabase()
  try {
    const history = await readHistory(options, {
      sink: SILENT,
      progress,
      nowMs,
      stopped: () => deps.signal.aborted,
      onFault(path, cause) {
        faults++
        deps.complain(`${path}: ${cause}`)
      },
    })
    entries = history.entries
    requireMemory(entries)
    await attributeRows({
      history,
      progress,
      nowMs,
      buildTimeoutMs: options.buildTimeout,
      phaseRules: [...options.phase, ...DEFAULT_PHASE_RULES],
      stopped: () => deps.signal.aborted,
      supplement: createSupplement({ ...options, priceList }, (model, reason) =>
        deps.complain(describeUnpriced(model, reason)),
      ),
      sink: {
        entry: (row) => database.entry(row),
        build: (row) => database.build(row),
      },
    })
    progress.end()
    if (deps.signal.aborted) throw new Error('Stopped before the report was finished.')
    database.flush()
    if (options.export !== undefined) await database.exportParquet(options.export)
    const made = await makeReport(database, {
      period,
      nowMs,
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
    return faults === 0
  } catch (error) {
    throw explainMemory(error, entries)
  } finally {
    database.close()
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
