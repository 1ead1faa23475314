import { z } from 'zod'
import { parseFlags, UsageError } from './watch-config.ts'

const count = z.coerce.number<string>().int().min(1)

const workerFlags = z.strictObject({
  address: z
    .string()
    .regex(/^[^\s:]+:\d{1,5}$/, 'must be host:port')
    .prefault('127.0.0.1:7233'),
  namespace: z.string().min(1).prefault('default'),
  taskQueue: z.string().min(1).prefault('audited-builds'),
  maxConcurrentActivities: count.max(1_000).prefault('4'),
  reportRoots: z.array(z.string().min(1)).prefault([]),
  reportDir: z.string().min(1).optional(),
  reportFormat: z.enum(['markdown', 'html', 'json']).prefault('markdown'),
  reportKeep: count.prefault('14'),
  reportCron: z.string().min(1).prefault('0 6 * * *'),
})

export interface WorkerConfig {
  /** host:port of the Temporal frontend. */
  readonly address: string
  readonly namespace: string
  readonly taskQueue: string
  readonly maxConcurrentActivities: number
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
  const { reportRoots, reportDir, reportFormat, reportKeep, reportCron, ...server } = parseFlags(
    workerFlags,
    flags,
  )
  if (reportRoots.length === 0) return server
  if (reportDir === undefined) {
    throw new UsageError('--report-dir: --report-roots says what to report on, but not where to write it')
  }
  return {
    ...server,
    report: { roots: reportRoots, dir: reportDir, format: reportFormat, keep: reportKeep, cron: reportCron },
  }
}
