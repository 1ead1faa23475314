import path from 'node:path'
import { z } from 'zod'
import { parseListen } from './units.ts'
import { parseFlags, UsageError } from './watch-config.ts'

const count = z.coerce.number<string>().int().min(1)
const text = z.string().min(1)
const directory = text.transform((name) => path.resolve(name))

/** `host:port` or `[::1]:port`; unlike an address to listen at it names a host and a port above 0. */
function isAddress(address: string): boolean {
  const parsed = parseListen(address)
  return parsed !== undefined && parsed.port > 0 && !/^:|\s/.test(address)
}

const workerFlags = z.strictObject({
  address: z
    .string()
    .refine(isAddress, {
      error: ({ input }) => `${JSON.stringify(input)} is not host:port, as 127.0.0.1:7233 or [::1]:7233`,
    })
    .prefault('127.0.0.1:7233'),
  namespace: text.prefault('default'),
  tls: z.boolean().prefault(false),
  tlsCa: text.optional(),
  tlsCert: text.optional(),
  tlsKey: text.optional(),
  apiKey: text.optional(),
  taskQueue: text.prefault('audited-builds'),
  maxConcurrentActivities: count.max(1_000).prefault('4'),
  prices: text.optional(),
  reportRoots: z.array(directory).prefault([]),
  reportDir: directory.optional(),
  reportFormat: z.enum(['markdown', 'html', 'json']).optional(),
  reportKeep: count.optional(),
  reportCron: text.optional(),
})
type WorkerFlags = z.output<typeof workerFlags>

/** Names of PEM files. */
export interface TlsFiles {
  /** Default: the authorities that Node.js knows. */
  readonly ca?: string
  readonly client?: { readonly cert: string; readonly key: string }
}

export interface WorkerConfig {
  /** host:port of the Temporal frontend. */
  readonly address: string
  readonly namespace: string
  /** Without it the connection is not encrypted. */
  readonly tls?: TlsFiles
  readonly apiKey?: string
  readonly taskQueue: string
  readonly maxConcurrentActivities: number
  /** Name of a JSON file: model → price. */
  readonly prices?: string
  /** Without it no schedule is made or changed. */
  readonly report?: {
    readonly roots: readonly string[]
    readonly dir: string
    readonly format: 'markdown' | 'html' | 'json'
    readonly keep: number
    readonly cron: string
  }
}

/** Flags → configuration. Throws a `UsageError` that names the flag, the value and what is expected. */
export function parseWorkerConfig(flags: Record<string, unknown>): WorkerConfig {
  const given = parseFlags(workerFlags, flags)
  const { address, namespace, apiKey, taskQueue, maxConcurrentActivities, prices } = given
  const tls = tlsOf(given)
  const report = reportOf(given)
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
  if (cert !== undefined && key === undefined) throw new UsageError('--tls-cert: needs its --tls-key')
  if (key !== undefined && cert === undefined) throw new UsageError('--tls-key: needs its --tls-cert')
  // A key must not cross the network for everybody to read.
  const isAsked = tls || ca !== undefined || cert !== undefined || apiKey !== undefined
  if (!isAsked) return undefined
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { client: { cert, key } }),
  }
}

function reportOf(flags: WorkerFlags): WorkerConfig['report'] {
  const { reportRoots, reportDir, reportFormat, reportKeep, reportCron } = flags
  if (reportRoots.length === 0) {
    const more = { dir: reportDir, format: reportFormat, keep: reportKeep, cron: reportCron }
    const lonely = Object.entries(more).find(([, value]) => value !== undefined)
    if (lonely === undefined) return undefined
    throw new UsageError(`--report-${lonely[0]}: needs --report-roots, which say what to report on`)
  }
  if (reportDir === undefined) {
    throw new UsageError('--report-dir: --report-roots says what to report on, but not where to write it')
  }
  return {
    roots: reportRoots,
    dir: reportDir,
    format: reportFormat ?? 'markdown',
    keep: reportKeep ?? 14,
    cron: reportCron ?? '0 6 * * *',
  }
}
