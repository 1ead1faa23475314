import path from 'node:path'
import { z } from 'zod'
import { absolutePath, nonEmpty, oneOf, wholeNumber } from '../config/fields.ts'
import { flag } from '../config/flags.ts'
import { UsageError } from '../config/usage-error.ts'
import { addressFlag, serverConfigOf, serverFlags, type ServerConfig } from './temporal-server-flags.ts'

const WORK = 'Work:'
const REPORT = 'Scheduled report:'

/** Defaults of the flags that are refused without --report-roots, and so are applied only with it. */
const REPORT_DEFAULTS = { format: 'markdown', keep: 14, cron: '0 6 * * *' } as const

/** The flags of `worker`. Each value is text, as on the command line and in variables. */
const workerFlags = z.strictObject({
  address: addressFlag,
  ...serverFlags,
  taskQueue: flag(
    { value: '<name>', env: 'AUDIT_TASK_QUEUE', group: WORK, help: 'Task queue to poll.' },
    nonEmpty.prefault('audited-builds'),
  ),
  maxConcurrentActivities: flag(
    {
      value: '<n>',
      env: 'AUDIT_MAX_ACTIVITIES',
      group: WORK,
      help: 'Maximum number of agents and checks that run at once.',
    },
    wholeNumber({ min: 1, max: 1_000 }).prefault('4'),
  ),
  prices: flag(
    {
      value: '<file>',
      env: 'AUDIT_PRICES',
      group: WORK,
      help:
        'YAML or JSON file with prices by model, in US dollars per million tokens: ' +
        '{"MODEL": {"input": 1, "cached": 0.25, "output": 10}}. The same file as for `watch`.',
    },
    nonEmpty.optional(),
  ),
  reportRoots: flag(
    {
      value: '<path...>',
      env: 'AUDIT_REPORT_ROOTS',
      separator: path.delimiter,
      group: REPORT,
      help: `Schedule a report on the traces below these paths. In the variable: separated by "${path.delimiter}".`,
    },
    z.array(absolutePath).prefault([]),
  ),
  reportCollect: flag(
    {
      value: '<query>',
      env: 'AUDIT_REPORT_COLLECT',
      group: REPORT,
      help: "Also report on the workflows of this visibility query, from Temporal's history: see `collect`.",
    },
    nonEmpty.optional(),
  ),
  reportCollectDir: flag(
    {
      value: '<dir>',
      env: 'AUDIT_REPORT_COLLECT_DIR',
      group: REPORT,
      help: 'Directory for their traces, not below the roots.',
    },
    absolutePath.optional(),
  ),
  reportShards: flag(
    {
      value: '<n>',
      env: 'AUDIT_REPORT_SHARDS',
      group: REPORT,
      help: 'Divide the traces among all workers of the task queue, in this many activities.',
    },
    wholeNumber({ min: 1, max: 100_000 }).optional(),
  ),
  reportRows: flag(
    {
      value: '<dir>',
      env: 'AUDIT_REPORT_ROWS',
      group: REPORT,
      help: 'Directory that they share, for the rows of the shards: each report reads only what is new.',
    },
    absolutePath.optional(),
  ),
  reportDir: flag(
    { value: '<dir>', env: 'AUDIT_REPORT_DIR', group: REPORT, help: 'Directory for the reports.' },
    absolutePath.optional(),
  ),
  reportFormat: flag(
    {
      value: '<format>',
      env: 'AUDIT_REPORT_FORMAT',
      group: REPORT,
      help: `markdown, html or json. Default: ${REPORT_DEFAULTS.format}.`,
    },
    oneOf(['markdown', 'html', 'json']).optional(),
  ),
  reportKeep: flag(
    {
      value: '<n>',
      env: 'AUDIT_REPORT_KEEP',
      group: REPORT,
      help: `How many reports to keep. Default: ${REPORT_DEFAULTS.keep}.`,
    },
    wholeNumber({ min: 1 }).optional(),
  ),
  reportCron: flag(
    {
      value: '<cron>',
      env: 'AUDIT_REPORT_CRON',
      group: REPORT,
      help: `When to report, in UTC. Default: "${REPORT_DEFAULTS.cron}".`,
    },
    nonEmpty.optional(),
  ),
})
type WorkerFlags = z.output<typeof workerFlags>

export interface WorkerConfig extends ServerConfig {
  readonly taskQueue: string
  readonly maxConcurrentActivities: number
  /** Path of a YAML or JSON file: model → price. */
  readonly prices?: string
  /** Absent: no schedule is created or changed. */
  readonly report?: {
    readonly roots: readonly string[]
    readonly dir: string
    readonly format: 'markdown' | 'html' | 'json'
    readonly keep: number
    readonly cron: string
    readonly collect?: { readonly query: string; readonly dir: string }
    readonly shards?: { readonly count: number; readonly dir: string }
  }
}

export const workerDeclaration = {
  name: 'worker',
  summary: 'run audited builds for a Temporal server',
  description:
    'Runs AuditedBuildWorkflow and OptimizationWorkflow with their activities until SIGTERM. ' +
    'Needs the Temporal packages, and the CLI of the agent that builds ask for: `gemini` on PATH ' +
    'with GEMINI_API_KEY, `claude` with ANTHROPIC_API_KEY, or `codex` with OPENAI_API_KEY.',
  flags: workerFlags,
  notes: `
A flag takes precedence over its environment variable.

Examples:
  audit-trace-exporter worker
  audit-trace-exporter worker --address temporal:7233 --prices prices.json
  audit-trace-exporter worker --report-roots /builds --report-dir /reports \\
    --report-format html`,
}

/** Checks which flags need each other. Throws a `UsageError` that names the flag and what it needs. */
export function workerConfigOf(flags: WorkerFlags): WorkerConfig {
  const { taskQueue, maxConcurrentActivities, prices } = flags
  const report = reportOf(flags)
  return {
    ...serverConfigOf(flags),
    taskQueue,
    maxConcurrentActivities,
    ...(prices === undefined ? {} : { prices }),
    ...(report === undefined ? {} : { report }),
  }
}

function reportOf(flags: WorkerFlags): WorkerConfig['report'] {
  const { reportRoots, reportDir, reportFormat, reportKeep, reportCron } = flags
  const collect = collectOf(flags)
  const shards = shardsOf(flags)
  if (reportRoots.length === 0 && collect === undefined) {
    const others = {
      dir: reportDir,
      format: reportFormat,
      keep: reportKeep,
      cron: reportCron,
      shards: shards?.count,
    }
    const given = Object.entries(others).find(([, value]) => value !== undefined)
    if (given === undefined) return undefined
    throw new UsageError(`--report-${given[0]}: needs --report-roots, the paths to report on`)
  }
  if (reportDir === undefined) {
    const needy = reportRoots.length === 0 ? '--report-collect' : '--report-roots'
    throw new UsageError(`${needy}: needs --report-dir, the directory for the reports`)
  }
  return {
    roots: reportRoots,
    dir: reportDir,
    format: reportFormat ?? REPORT_DEFAULTS.format,
    keep: reportKeep ?? REPORT_DEFAULTS.keep,
    cron: reportCron ?? REPORT_DEFAULTS.cron,
    ...(collect === undefined ? {} : { collect }),
    ...(shards === undefined ? {} : { shards }),
  }
}

function shardsOf({
  reportShards: count,
  reportRows: dir,
}: WorkerFlags): { readonly count: number; readonly dir: string } | undefined {
  if (count === undefined && dir === undefined) return undefined
  if (count === undefined) throw new UsageError('--report-rows: needs --report-shards, the number of shards')
  if (dir === undefined)
    throw new UsageError('--report-shards: needs --report-rows, the directory for their rows')
  return { count, dir }
}

function collectOf({
  reportRoots,
  reportCollect: query,
  reportCollectDir: dir,
}: WorkerFlags): { readonly query: string; readonly dir: string } | undefined {
  if (query === undefined && dir === undefined) return undefined
  if (query === undefined)
    throw new UsageError('--report-collect-dir: needs --report-collect, the workflows to collect')
  if (dir === undefined)
    throw new UsageError('--report-collect: needs --report-collect-dir, the directory for the traces')
  const root = reportRoots.find((each) => `${dir}/`.startsWith(`${each}/`))
  if (root !== undefined)
    throw new UsageError(
      `--report-collect-dir: ${dir} is below the root ${root}, so its builds would count twice`,
    )
  return { query, dir }
}
