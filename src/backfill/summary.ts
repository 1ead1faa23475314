import type { HistoryOptions } from '../history/history.ts'
import { leftOut } from '../history/left-out.ts'
import { counted } from '../render/format.ts'
import type { Replayed } from './replay.ts'
import type { Span } from './span.ts'

/** The options of the run that the summary mentions. */
export interface SummaryOptions extends HistoryOptions {
  readonly out: string
  readonly prometheusData?: string | undefined
  readonly keep: boolean
  readonly state?: string | undefined
}

/** Result of one run. */
export interface Outcome {
  readonly replayed: Replayed
  /** The days that this run wrote, in order. */
  readonly written: readonly string[]
  readonly samples: number
  readonly seconds: number
  readonly span: Span
  readonly makesState: boolean
}

/** Describes what was done, what was left out, and what to do next. */
export function summarise(options: SummaryOptions, outcome: Outcome): string {
  const { replayed, written, samples, seconds, span, makesState } = outcome
  const { history, afterLast, beforeFirst } = replayed
  const iso = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
  const lines = [
    `${entries(history.entries)} in ${counted(history.files.length, 'file')}, ${counted(history.rejectedLines, 'line')} rejected: ` +
      `${counted(samples, 'sample')} for ${counted(written.length, 'day')} (${written[0] ?? 'none'} to ${written.at(-1) ?? 'none'}) in ${seconds.toFixed(1)} s.`,
    ...leftOut(history, options),
  ]
  if (span.pinned) {
    lines.push(
      `The history ends at ${iso(span.untilMs)}, the end of the first run into ${options.out}; the exporter itself counts later entries.`,
    )
  }
  if (history.outOfOrder > 0)
    lines.push(
      `Out of order: ${entries(history.outOfOrder)} with an earlier timestamp than a line above, counted in the order of the file.`,
    )
  if (beforeFirst > 0)
    lines.push(`Older than --since: ${entries(beforeFirst)}, included in the first samples.`)
  if (afterLast > 0)
    lines.push(
      `Later than the last samples (${iso(span.untilMs)}): ${entries(afterLast)}, included in the totals but not in the samples.`,
    )
  if (history.inFuture > 0)
    lines.push(`Timestamps in the future: ${entries(history.inFuture)}, counted with the line above.`)
  lines.push('Next:')
  if (written.length === 0) lines.push('  Nothing to import: no entry is old enough.')
  else if (options.prometheusData === undefined) {
    lines.push(
      `  for file in ${quoted(options.out)}/audit-*.om; do promtool tsdb create-blocks-from openmetrics "$file" DATA_DIRECTORY; done`,
    )
  } else {
    const where = options.keep ? ` The files are kept in ${options.out}.` : ''
    lines.push(
      `  The blocks are in ${options.prometheusData}; a running Prometheus loads them within minutes.${where}`,
    )
  }
  lines.push(
    '  Set --storage.tsdb.retention.time of Prometheus long enough: by default it deletes samples after 15 days.',
  )
  if (options.state !== undefined) {
    lines.push(
      makesState
        ? `  audit-trace-exporter watch ${options.paths.map(quoted).join(' ')} --state ${quoted(options.state)}   continues from these totals.`
        : `  ${options.state} was created by an earlier run and is left unchanged.`,
    )
  }
  return lines.join('\n')
}

const entries = (n: number): string => counted(n, 'entry', 'entries')

/** Quotes a word for a shell. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
