import type { Command } from 'commander'
import { backfill, type BackfillDeps } from './commands/backfill.ts'
import { backfillOptions } from './config/backfill-config.ts'
import { report, reportOptions, type ReportDeps } from './commands/report.ts'
import { parseFlags } from './config/watch-config.ts'

export interface HistoryProgramDeps extends ReportDeps, BackfillDeps {
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
    .option('--export <file>', 'also write all attributed entries as Parquet, whatever the period')
    .addHelpText(
      'after',
      `
Examples:
  audit-trace-exporter report /builds --since 30d
  audit-trace-exporter report /builds --format html --out report.html
  audit-trace-exporter report /builds --export rows.parquet --out report.md
  audit-trace-exporter report /builds --format json | jq '.insights[0]'`,
    )
    .action(async (paths: string[], flags: Record<string, unknown>) => {
      const complete = await report(parseFlags(reportOptions, { ...flags, paths }), deps)
      if (!complete) deps.setExitCode(FAILED)
    })
}

/** `backfill`: history into Prometheus, at the entries' own times. */
export function addBackfill(program: Command, deps: HistoryProgramDeps): void {
  const command = program
    .command('backfill')
    .summary("history into Prometheus, at the entries' own times")
    .description(
      'Replays every trace below the paths in order of entry time, through the code of `watch`, and writes what Prometheus\n' +
        'would have scraped as OpenMetrics, one file for each day; with --prometheus-data also as blocks there.\n' +
        'With --state, `watch` goes on from the same totals: one unbroken series from the first build to now.',
    )
  withHistoryFlags(command)
    .requiredOption('--out <dir>', 'where the OpenMetrics files are written')
    .option('--state <dir>', 'leave a state here from which `watch --state` goes on; must hold none yet')
    .option('--prometheus-data <dir>', "Prometheus' data directory: import the files there with promtool")
    .option('--promtool <program>', 'promtool, where it is not on PATH', 'promtool')
    .option('--keep', 'keep the files after importing them')
    .option('--step <duration>', 'time between samples, at most 4m', '4m')
    .option('--since <moment>', 'no samples before: 90d (ago), 2026-11-01, 2026-11-01T12:00:00Z')
    .option('--until <moment>', "no samples after; never within the last 3 hours, which are Prometheus' own")
    .option('--job <name>', 'the job label that the live series carry', 'audit-trace-exporter')
    .option('--instance <name>', 'the instance label that the live series carry', 'audit-trace-exporter')
    .option('--max-context-hashes <n>', 'as for watch', '200')
    .option('--max-steps <n>', 'as for watch', '100')
    .option('--max-error-types <n>', 'as for watch', '100')
    .option('--max-instruction-versions <n>', 'as for watch', '100')
    .option('--context-idle <duration>', 'as for watch', '30d')
    .addHelpText(
      'after',
      `
Stop the exporter before, start it after: what is written meanwhile is read then. Running it again does no harm.

Examples:
  audit-trace-exporter backfill /builds --out /tmp/history
  audit-trace-exporter backfill /builds --out /tmp/history --prometheus-data /var/lib/prometheus --state /var/lib/audit`,
    )
    .action(async (paths: string[], flags: Record<string, unknown>) => {
      const complete = await backfill(parseFlags(backfillOptions, { ...flags, paths }), deps)
      if (!complete) deps.setExitCode(FAILED)
    })
}
