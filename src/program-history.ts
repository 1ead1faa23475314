import type { Command } from 'commander'
import { report, reportOptions, type ReportDeps } from './commands/report.ts'
import { parseFlags } from './config/watch-config.ts'

export interface HistoryProgramDeps extends ReportDeps {
  readonly setExitCode: (code: number) => void
}

const FAILED = 1

const withHistoryFlags = (command: Command): Command =>
  command
    .argument('<path...>', 'directories or files with traces')
    .option('--file-name <name>', 'name of the traces', 'audit_trace.jsonl')
    .option('--max-line-bytes <size>', 'a longer line is skipped and counted', '16MiB')
    .option('--follow-symlinks', 'also follow links that lead out of the paths')
    .option('--build-timeout <duration>', 'a build idle for longer is closed', '1h')
    .option('--phase <rule...>', 'PHASE=REGEX: steps of a phase, asked before the built-in rules')

/** `report`: the four audits over the files themselves. */
export function addReport(program: Command, deps: HistoryProgramDeps): void {
  const command = program
    .command('report')
    .summary('the four audits as Markdown, HTML or JSON')
    .description(
      'Reads every trace below the paths and reports Token Efficiency, Constraint Effectiveness, Prompt Refinement and\n' +
        'Context Volatility, with what to change, ranked by the tokens that could be saved. Needs @duckdb/node-api.',
    )
  withHistoryFlags(command)
    .option('--since <moment>', 'only from then on: 30d (ago), 2026-11-01, 2026-11-01T12:00:00Z')
    .option('--until <moment>', 'only before then')
    .option(
      '--format <format>',
      'md fits a pull request, html is one self-contained file, json has a schema',
      'md',
    )
    .option('--out <file>', 'where to write (default: standard output)')
    .addHelpText(
      'after',
      `
Examples:
  audit-trace-exporter report /builds --since 30d
  audit-trace-exporter report /builds --format html --out report.html
  audit-trace-exporter report /builds --format json | jq '.insights[0]'`,
    )
    .action(async (paths: string[], flags: Record<string, unknown>) => {
      const complete = await report(parseFlags(reportOptions, { ...flags, paths }), deps)
      if (!complete) deps.setExitCode(FAILED)
    })
}
