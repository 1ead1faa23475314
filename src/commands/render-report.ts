import type { ReportFormat } from '../capture/temporal/types.ts'
import { systemClock, type Clock } from '../clock.ts'
import { parseFlags } from '../config/flags.ts'
import { reportOptions } from './report-flags.ts'
import { report } from './report.ts'

const FORMATS = { markdown: 'md', html: 'html', json: 'json' } as const satisfies Record<ReportFormat, string>

/**
 * The text of a report over the given traces, of which there may be none. Throws where one of them could not be read
 * to its end, and where the signal ends it. Give it to `createOptimizationActivities` as it is.
 */
export async function renderReport(
  traces: readonly string[],
  format: ReportFormat,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<string> {
  let text = ''
  const faults: string[] = []
  // The command asks for a path at least; a directory in which nothing has been built yet has none.
  const options = parseFlags(reportOptions, { paths: ['.'], format: FORMATS[format] })
  const complete = await report(
    { ...options, paths: [...traces] },
    { clock, signal, print: (more) => (text += more), complain: (line) => faults.push(line) },
  )
  if (!complete) throw new Error(`cannot report over all traces: ${faults.join('; ')}`)
  return text
}
