import path from 'node:path'
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
      flag('--tls', 'encrypt the connection; the following three ask for it, too', 'AUDIT_TEMPORAL_TLS'),
    )
    .addOption(
      flag('--tls-ca <file>', 'trust the authorities in this PEM file instead', 'AUDIT_TEMPORAL_TLS_CA'),
    )
    .addOption(flag('--tls-cert <file>', 'client certificate, PEM', 'AUDIT_TEMPORAL_TLS_CERT'))
    .addOption(flag('--tls-key <file>', 'its private key, PEM', 'AUDIT_TEMPORAL_TLS_KEY'))
    .addOption(
      flag(
        '--api-key <key>',
        'as Temporal Cloud gives it; better in the variable, which others cannot see. Asks for TLS',
        'AUDIT_TEMPORAL_API_KEY',
      ),
    )
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
      flag(
        '--prices <file>',
        'US dollars for a million tokens, JSON: {"MODEL": {"input": 1, "cached": 0.25, "output": 10}}',
        'AUDIT_PRICES',
      ),
    )
    .addOption(
      flag(
        '--report-roots <path...>',
        `schedule a report over the traces below these; in the variable, "${path.delimiter}" parts them`,
        'AUDIT_REPORT_ROOTS',
      ),
    )
    .addOption(flag('--report-dir <dir>', 'where reports are written', 'AUDIT_REPORT_DIR'))
    .addOption(flag('--report-format <format>', 'markdown (default), html or json', 'AUDIT_REPORT_FORMAT'))
    .addOption(flag('--report-keep <n>', 'how many reports stay (default 14)', 'AUDIT_REPORT_KEEP'))
    .addOption(flag('--report-cron <cron>', 'when, in UTC (default "0 6 * * *")', 'AUDIT_REPORT_CRON'))
    .action(async (flags: Record<string, unknown>, command: Command) => {
      const config = parseWorkerConfig({ ...flags, ...rootsOfVariable(flags, command) })
      const { worker } = await importWorker()
      await worker(config, {
        log: deps.log,
        signal: deps.signal,
        env: deps.env ?? {},
        renderReport: (traces, format, signal) =>
          renderReport(traces, format, AbortSignal.any([signal, deps.signal]), deps.clock),
      })
    })
}

/** A variable holds one text, where the flag takes several paths. */
function rootsOfVariable(flags: Record<string, unknown>, command: Command): { reportRoots?: string[] } {
  if (command.getOptionValueSource('reportRoots') !== 'env') return {}
  const texts = flags['reportRoots'] as readonly string[]
  return { reportRoots: texts.flatMap((text) => text.split(path.delimiter)).filter((root) => root !== '') }
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
