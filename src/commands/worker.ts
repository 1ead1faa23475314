import { Client, Connection } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker'
import { createAuditedBuildActivities } from '../capture/temporal/activities.ts'
import {
  createOptimizationActivities,
  type OptimizationDeps,
} from '../capture/temporal/optimization-activities.ts'
import { ensureOptimizationSchedule } from '../capture/temporal/schedule.ts'
import { createAuditWorker } from '../capture/temporal/worker.ts'
import type { CollectSummary } from '../collect/collect.ts'
import { collectFromClient, type CollectRequest } from '../collect/from-client.ts'
import { readPrices } from '../config/prices.ts'
import type { Logger } from '../log.ts'
import { connectionOptions, type Server } from './temporal-server.ts'
import type { WorkerConfig } from './worker-flags.ts'

export interface WorkerDeps {
  readonly log: Logger
  /** The environment of agents and checks, with `GEMINI_API_KEY`. */
  readonly env: NodeJS.ProcessEnv
  /** Shuts down: activities in progress may finish within their grace time. */
  readonly signal: AbortSignal
  readonly renderReport: OptimizationDeps['renderReport']
  readonly rows?: OptimizationDeps['rows']
  /** Called once the worker polls. */
  readonly onReady?: () => void
}

/** Runs the workflows and activities of audited builds until the signal. Throws if the server cannot be reached. */
export async function worker(config: WorkerConfig, deps: WorkerDeps): Promise<void> {
  const { log, signal } = deps
  if (signal.aborted) return
  // The process handles signals itself; the runtime's own handlers would interfere.
  Runtime.install({ shutdownSignals: [], logger: temporalLogger(log) })
  const prices = config.prices === undefined ? undefined : await readPrices(config.prices)
  const server = await connectionOptions(config)
  const connection = await reach(server)
  try {
    const worker = await createAuditWorker({
      connection,
      namespace: config.namespace,
      taskQueue: config.taskQueue,
      maxConcurrentActivities: config.maxConcurrentActivities,
      activities: {
        ...createAuditedBuildActivities({
          env: deps.env,
          ...(prices === undefined ? {} : { agent: { prices } }),
        }),
        ...createOptimizationActivities({
          renderReport: deps.renderReport,
          ...(deps.rows === undefined ? {} : { rows: deps.rows }),
          collect: ({ query, dir }, signal) => collect(config, server, { query, out: dir }, { signal, log }),
        }),
      },
    })
    if (config.report !== undefined) await schedule(config, server, config.report)
    const running = worker.run()
    const stop = (): void => worker.shutdown()
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    const where = { address: config.address, namespace: config.namespace, taskQueue: config.taskQueue }
    log.info(
      { event: 'worker_started', ...where },
      `Polling task queue ${config.taskQueue} at ${config.address}.`,
    )
    deps.onReady?.()
    await running
    log.info({ event: 'worker_stopped' }, 'Worker stopped.')
  } finally {
    await connection.close()
  }
}

/** Forwards Temporal's warnings and errors to the log. */
const temporalLogger = (log: Logger): DefaultLogger =>
  new DefaultLogger('WARN', ({ level, message, meta }) => {
    const cause = meta?.['error'] instanceof Error ? { cause: meta['error'].message } : {}
    log[level === 'ERROR' ? 'error' : 'warn']({ event: 'temporal', ...cause }, message)
  })

async function reach(server: Server): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect(server)
  } catch (error) {
    throw new Error(`Cannot reach the Temporal server at ${server.address}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

async function collect(
  { namespace }: WorkerConfig,
  server: Server,
  request: CollectRequest,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
): Promise<CollectSummary> {
  const connection = await Connection.connect(server)
  try {
    return await collectFromClient(new Client({ connection, namespace }), request, {
      signal,
      warn: (event, fields, message) => log.warn({ event, ...fields }, message),
    })
  } finally {
    await connection.close()
  }
}

async function schedule(
  config: WorkerConfig,
  server: Server,
  report: NonNullable<WorkerConfig['report']>,
): Promise<void> {
  const connection = await Connection.connect(server)
  try {
    await ensureOptimizationSchedule(new Client({ connection, namespace: config.namespace }), {
      taskQueue: config.taskQueue,
      cron: report.cron,
      input: {
        roots: report.roots,
        reportDir: report.dir,
        format: report.format,
        keep: report.keep,
        ...(report.collect === undefined ? {} : { collect: report.collect }),
        ...(report.shards === undefined ? {} : { shards: report.shards }),
      },
    })
  } finally {
    await connection.close()
  }
}
