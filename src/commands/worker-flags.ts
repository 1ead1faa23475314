import path from 'node:path'
import { z } from 'zod'
import { absolutePath, nonEmpty, oneOf, onOff, wholeNumber } from '../config/fields.ts'
import { flag } from '../config/flags.ts'
import { parseListen } from '../config/units.ts'
import { UsageError } from '../config/usage-error.ts'

/** `host:port` or `[::1]:port`; unlike an address to listen on, it names a host and a port above 0. */
function isAddress(address: string): boolean {
  const parsed = parseListen(address)
  return parsed !== undefined && parsed.port > 0 && !/^:|\s/.test(address)
}

const SERVER = 'Temporal server:'
const WORK = 'Work:'
const REPORT = 'Scheduled report:'

/** Defaults of the flags that are refused without --report-roots, and so are applied only with it. */
const REPORT_DEFAULTS = { format: 'markdown', keep: 14, cron: '0 6 * * *' } as const

/** The flags of `worker`. Each value is text, as on the command line and in variables. */
const workerFlags = z.strictObject({
  address: flag(
    { value: '<host:port>', env: 'AUDIT_TEMPORAL_ADDRESS', group: SERVER, help: 'Address of its frontend.' },
    z
      .string()
      .refine(isAddress, {
        error: ({ input }) =>
          `${JSON.stringify(input)} is not host:port, such as 127.0.0.1:7233 or [::1]:7233`,
      })
      .prefault('127.0.0.1:7233'),
  ),
  namespace: flag(
    { value: '<name>', env: 'AUDIT_TEMPORAL_NAMESPACE', group: SERVER, help: 'Its namespace.' },
    nonEmpty.prefault('default'),
  ),
  tls: flag(
    {
      env: 'AUDIT_TEMPORAL_TLS',
      group: SERVER,
      help: 'Encrypt the connection. Implied by --tls-ca, --tls-cert, --tls-key and --api-key.',
    },
    onOff(),
  ),
  tlsCa: flag(
    {
      value: '<file>',
      env: 'AUDIT_TEMPORAL_TLS_CA',
      group: SERVER,
      help: 'PEM file with the authorities to trust. Default: those that Node.js trusts.',
    },
    nonEmpty.optional(),
  ),
  tlsCert: flag(
    {
      value: '<file>',
      env: 'AUDIT_TEMPORAL_TLS_CERT',
      group: SERVER,
      help: 'PEM file with the client certificate.',
    },
    nonEmpty.optional(),
  ),
  tlsKey: flag(
    { value: '<file>', env: 'AUDIT_TEMPORAL_TLS_KEY', group: SERVER, help: 'PEM file with its private key.' },
    nonEmpty.optional(),
  ),
  apiKey: flag(
    {
      value: '<key>',
      env: 'AUDIT_TEMPORAL_API_KEY',
      group: SERVER,
      help: 'API key of Temporal Cloud. Prefer the variable: other users of the machine can see flags.',
    },
    nonEmpty.optional(),
  ),
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

/** Paths of PEM files. */
export interface TlsFiles {
  /** Default: the authorities that Node.js trusts. */
  readonly ca?: string
  readonly client?: { readonly cert: string; readonly key: string }
}

export interface WorkerConfig {
  /** host:port of the Temporal frontend. */
  readonly address: string
  readonly namespace: string
  /** Absent: the connection is not encrypted. */
  readonly tls?: TlsFiles
  readonly apiKey?: string
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
  }
}

export const workerDeclaration = {
  name: 'worker',
  summary: 'run audited builds for a Temporal server',
  description:
    'Runs AuditedBuildWorkflow and OptimizationWorkflow with their activities until SIGTERM. ' +
    'Needs the Temporal packages, and the Gemini CLI: `gemini` on PATH, with GEMINI_API_KEY.',
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
  const { address, namespace, apiKey, taskQueue, maxConcurrentActivities, prices } = flags
  const tls = tlsOf(flags)
  const report = reportOf(flags)
  return {
    address,
    namespace,
    taskQueue,
    maxConcurrentActivities,
    ...(tls === undefined ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(prices === undefined ? {} : { prices }),
    ...(report === undefined ? {} : { report }),
  }
}

function tlsOf({ tls, tlsCa: ca, tlsCert: cert, tlsKey: key, apiKey }: WorkerFlags): TlsFiles | undefined {
  if (cert !== undefined && key === undefined) throw new UsageError('--tls-cert: needs --tls-key as well')
  if (key !== undefined && cert === undefined) throw new UsageError('--tls-key: needs --tls-cert as well')
  // An API key must not cross the network in plain text.
  const isEncrypted = tls || ca !== undefined || cert !== undefined || apiKey !== undefined
  if (!isEncrypted) return undefined
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { client: { cert, key } }),
  }
}

function reportOf(flags: WorkerFlags): WorkerConfig['report'] {
  const { reportRoots, reportDir, reportFormat, reportKeep, reportCron } = flags
  if (reportRoots.length === 0) {
    const others = { dir: reportDir, format: reportFormat, keep: reportKeep, cron: reportCron }
    const given = Object.entries(others).find(([, value]) => value !== undefined)
    if (given === undefined) return undefined
    throw new UsageError(`--report-${given[0]}: needs --report-roots, the paths to report on`)
  }
  if (reportDir === undefined) {
    throw new UsageError('--report-roots: needs --report-dir, the directory for the reports')
  }
  return {
    roots: reportRoots,
    dir: reportDir,
    format: reportFormat ?? REPORT_DEFAULTS.format,
    keep: reportKeep ?? REPORT_DEFAULTS.keep,
    cron: reportCron ?? REPORT_DEFAULTS.cron,
  }
}
