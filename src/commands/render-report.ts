import type { ReportFormat } from '../capture/temporal/types.ts'
import { systemClock, type Clock } from '../clock.ts'
import { parseFlags } from '../config/flags.ts'
import { reportOptions, type ReportOptions } from './report-flags.ts'
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
  return await render({ paths: [...traces] }, format, signal, clock)
}

/** The report that these options ask for, as text. Throws if something cannot be read. */
export async function render(
  source: Partial<Pick<ReportOptions, 'paths' | 'rows'>>,
  format: ReportFormat,
  signal: AbortSignal,
  clock: Clock,
): Promise<string> {
  let text = ''
  const faults: string[] = []
  const complete = await report(
    { ...parseFlags(reportOptions, { format: FORMATS[format] }), ...source },
    { clock, signal, print: (more) => (text += more), complain: (line) => faults.push(line) },
  )
  if (!complete) throw new Error(`Cannot report on all traces: ${faults.join('; ')}`)
  return text
}
