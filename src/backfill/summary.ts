import type { HistoryOptions } from '../history/history.ts'
import { leftOut } from '../history/left-out.ts'
import type { Replayed } from './replay.ts'
import type { Span } from './span.ts'

/** The options of the run that the summary mentions. */
export interface SummaryOptions extends HistoryOptions {
  readonly out: string
  readonly prometheusData?: string | undefined
  readonly keep: boolean
  readonly state?: string | undefined
}

/** What came of one run. */
export interface Outcome {
  readonly replayed: Replayed
  /** The days that this run wrote, in order. */
  readonly written: readonly string[]
  readonly samples: number
  readonly seconds: number
  readonly span: Span
  readonly makesState: boolean
}

/** What was done and left out, and what to do next. */
export function summarise(options: SummaryOptions, outcome: Outcome): string {
  const { replayed, written, samples, seconds, span, makesState } = outcome
  const { history, afterLast, beforeFirst, inFuture } = replayed
  const iso = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
  const lines = [
    `${history.entries} entries in ${history.files.length} files, ${history.rejectedLines} lines rejected: ` +
      `${samples} samples for ${written.length} days (${written[0] ?? 'none'} to ${written.at(-1) ?? 'none'}) in ${seconds.toFixed(1)} s.`,
    ...leftOut(history, options),
  ]
  if (span.pinned) {
    lines.push(
      `The history ends at ${iso(span.untilMs)}, where the first run into ${options.out} ended: what came later is the exporter's to tell.`,
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
      `${afterLast} entries are later than the last samples (${iso(span.untilMs)}): they are in the totals, not in the history.`,
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
  return lines.join('\n')
}

/** As a shell takes it for one word. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
