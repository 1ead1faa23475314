import type { ReportFormat } from '../capture/temporal/types.ts'
import { systemClock, type Clock } from '../clock.ts'
import { parseFlags } from '../config/flags.ts'
import { reportOptions } from './report-flags.ts'
import { report } from './report.ts'

const FORMATS = { markdown: 'md', html: 'html', json: 'json' } as const satisfies Record<ReportFormat, string>

/**
 * Returns a report on the given traces, of which there may be none, as text. Throws if one of them cannot be read
 * completely, and if the signal is aborted. Pass it to `createOptimizationActivities`.
 */
export async function renderReport(
  traces: readonly string[],
  format: ReportFormat,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<string> {
  let text = ''
  const faults: string[] = []
  // The command needs at least one path; here there may be no trace yet.
  const options = parseFlags(reportOptions, { paths: ['.'], format: FORMATS[format] })
  const complete = await report(
    { ...options, paths: [...traces] },
    { clock, signal, print: (more) => (text += more), complain: (line) => faults.push(line) },
  )
  if (!complete) throw new Error(`Cannot report on all traces: ${faults.join('; ')}`)
  return text
}
