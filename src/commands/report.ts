import { writeFileSync } from 'node:fs'
import { renderMarkdown } from '../audits/markdown.ts'
import { explainMemory, isMemoryError } from '../audits/memory.ts'
import { makeReport } from '../audits/report.ts'
import type { Report } from '../audits/schema.ts'
import type { Period } from '../audits/views.ts'
import { parseMoment, requireOrder } from '../config/period.ts'
import { UsageError } from '../config/usage-error.ts'
import { requireWritableFile } from '../config/writable.ts'
import { explainSpace } from '../history/scratch.ts'
import { counted } from '../render/format.ts'
import type { ReportOptions } from './report-flags.ts'
import { openRun, type ReportDeps, type Run } from './report-run.ts'
import { readSource, type Source } from './report-source.ts'

/** Throws a `UsageError` if there is nothing to report on. */
export function requireSource({ paths, rows }: Pick<ReportOptions, 'paths' | 'rows'>): void {
  if (paths.length === 0 && rows === undefined)
    throw new UsageError(
      'Nothing to report on: give paths of traces, or --rows with rows that were written before.',
    )
}

/**
 * Reads all traces below the paths, or rows that were written before, and writes the four audits as Markdown, HTML or
 * JSON. Returns whether everything could be read. Before reading anything it throws a `UsageError` for an invalid moment,
 * `MissingDuckDb` if that is not installed, and an error that names the flag if an output
 * file is not writable; after reading, an error that says what to do if memory or the space for temporary files is too
 * little.
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
    const source = await readSource(run, period)
    const { input, notes, isComplete } = source
    const made = await reportOn(source, run, period)
    run.progress.end()
    const text = await render(made, options.format)
    if (options.out === undefined) deps.print(text.trimEnd())
    else writeFileSync(options.out, text)
    for (const line of notes) deps.complain(line)
    const seconds = (deps.clock.monotonicMs() - startedMs) / 1000
    const where = options.out === undefined ? '' : `; written to ${options.out}`
    deps.complain(
      `${counted(input.files, 'file')}, ${counted(input.entries, 'entry', 'entries')}, ${counted(input.rejected_lines, 'rejected line')}, ` +
        `${counted(made.insights.length, 'insight')} in ${seconds.toFixed(1)} s${where}`,
    )
    return isComplete
  } catch (error) {
    throw explainSpace(explainMemory(error, run.entries, run.memoryBytes), options.temp)
  } finally {
    run.close()
  }
}

/** Calculates the report, or takes that of the last run if nothing has changed since. */
async function reportOn(source: Source, run: Run, period: Period): Promise<Report> {
  const { options, nowMs, deps } = run
  const { kept, dropSums } = source
  const last = options.export === undefined ? kept?.find() : undefined
  if (last !== undefined) {
    deps.complain(`Nothing has changed since the report of ${last.generated_at}; its figures are used again.`)
    return { ...last, generated_at: new Date(nowMs).toISOString() }
  }
  const made = await calculate(source, run, period).catch((error: unknown) => {
    // Damaged, or no space for them: no report ever needs them.
    if (dropSums === undefined || deps.signal.aborted || isMemoryError(error)) throw error
    dropSums()
    return calculate(source, run, period)
  })
  kept?.keep(made)
  return made
}

async function calculate({ load, input }: Source, run: Run, period: Period): Promise<Report> {
  const { options, nowMs, progress } = run
  const database = await load()
  if (options.export !== undefined) await database.exportParquet(options.export)
  return makeReport(database, { period, nowMs, progress, input })
}

async function render(made: Report, format: ReportOptions['format']): Promise<string> {
  if (format === 'json') return `${JSON.stringify(made, null, 2)}\n`
  if (format === 'md') return renderMarkdown(made)
  // The chart library is large: it is loaded only for HTML.
  const { renderHtml } = await import('../audits/html-report.ts')
  return renderHtml(made)
}
