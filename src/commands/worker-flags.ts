import { Option, type Command } from 'commander'
import { parseWorkerConfig } from '../config/worker-config.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import { renderReport } from './render-report.ts'

export interface WorkerCommandDeps {
  readonly log: Logger
  readonly signal: AbortSignal
  /** For agents and checks. */
  readonly env?: NodeJS.ProcessEnv
  readonly clock: Clock
}

const flag = (flags: string, description: string, variable: string): Option =>
  new Option(flags, description).env(variable)

/** `audit-trace-exporter worker`. */
export function addWorker(program: Command, deps: WorkerCommandDeps): void {
  program
    .command('worker')
    .summary('run audited builds for a Temporal server')
    .description(
      'Runs AuditedBuildWorkflow and OptimizationWorkflow with their activities, until SIGTERM.\n' +
        'Needs the Temporal packages and the Gemini CLI (`gemini` on PATH, with GEMINI_API_KEY).',
    )
    .addOption(
      flag('--address <host:port>', 'the Temporal server (default 127.0.0.1:7233)', 'AUDIT_TEMPORAL_ADDRESS'),
    )
    .addOption(flag('--namespace <name>', 'its namespace (default default)', 'AUDIT_TEMPORAL_NAMESPACE'))
    .addOption(
      flag('--task-queue <name>', 'where builds are asked for (default audited-builds)', 'AUDIT_TASK_QUEUE'),
    )
    .addOption(
      flag(
        '--max-concurrent-activities <n>',
        'agents and checks at once (default 4)',
        'AUDIT_MAX_ACTIVITIES',
      ),
    )
    .addOption(
      flag('--report-roots <path...>', 'schedule a report over the traces below these', 'AUDIT_REPORT_ROOTS'),
    )
    .addOption(flag('--report-dir <dir>', 'where reports are written', 'AUDIT_REPORT_DIR'))
    .addOption(flag('--report-format <format>', 'markdown (default), html or json', 'AUDIT_REPORT_FORMAT'))
    .addOption(flag('--report-keep <n>', 'how many reports stay (default 14)', 'AUDIT_REPORT_KEEP'))
    .addOption(flag('--report-cron <cron>', 'when, in UTC (default "0 6 * * *")', 'AUDIT_REPORT_CRON'))
    .action(async (flags: Record<string, unknown>) => {
      const config = parseWorkerConfig(flags)
      const { worker } = await importWorker()
      await worker(config, {
        log: deps.log,
        signal: deps.signal,
        env: deps.env ?? {},
        renderReport: (traces, format) => renderReport(traces, format, deps),
      })
    })
}

/** Temporal is an optional peer: who only watches files does not install it. */
async function importWorker(): Promise<typeof import('./worker.ts')> {
  try {
    return await import('./worker.ts')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(
      `the worker needs Temporal's packages: npm install @temporalio/{activity,client,common,worker,workflow} protobufjs`,
      { cause: error },
    )
  }
}
