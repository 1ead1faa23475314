import type { ReportFormat } from '../capture/temporal/types.ts'
import type { Clock } from '../clock.ts'
import { parseFlags } from '../config/watch-config.ts'
import { report, reportOptions } from './report.ts'

const FORMATS = { markdown: 'md', html: 'html', json: 'json' } as const satisfies Record<ReportFormat, string>

/** The text of a report over the given traces. Throws where one of them could not be read to its end. */
export async function renderReport(
  traces: readonly string[],
  format: ReportFormat,
  deps: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<string> {
  let text = ''
  const faults: string[] = []
  const complete = await report(parseFlags(reportOptions, { paths: traces, format: FORMATS[format] }), {
    ...deps,
    print: (more) => (text += more),
    complain: (line) => faults.push(line),
  })
  if (!complete) throw new Error(`cannot report over all traces: ${faults.join('; ')}`)
  return text
}
