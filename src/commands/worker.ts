import { Client, Connection } from '@temporalio/client'
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker'
import { createAuditedBuildActivities } from '../capture/temporal/activities.ts'
import {
  createOptimizationActivities,
  type OptimizationDeps,
} from '../capture/temporal/optimization-activities.ts'
import { ensureOptimizationSchedule } from '../capture/temporal/schedule.ts'
import { createAuditWorker } from '../capture/temporal/worker.ts'
import type { WorkerConfig } from '../config/worker-config.ts'
import type { Logger } from '../log.ts'

export interface WorkerDeps {
  readonly log: Logger
  /** For agents and checks; with `GEMINI_API_KEY`. */
  readonly env: NodeJS.ProcessEnv
  /** Finishes what runs, up to its grace time, and ends. */
  readonly signal: AbortSignal
  readonly renderReport: OptimizationDeps['renderReport']
  /** Told once the worker polls. */
  readonly onReady?: () => void
}

/** Runs the workflows and activities of audited builds until the signal. Throws where the server cannot be reached. */
export async function worker(config: WorkerConfig, deps: WorkerDeps): Promise<void> {
  const { log, signal } = deps
  // Signals are ours: the runtime's own handlers would end the process beside us.
  Runtime.install({ shutdownSignals: [], logger: temporalLogger(log) })
  const connection = await reach(config.address)
  try {
    const worker = await createAuditWorker({
      connection,
      namespace: config.namespace,
      taskQueue: config.taskQueue,
      maxConcurrentActivities: config.maxConcurrentActivities,
      activities: {
        ...createAuditedBuildActivities({ env: deps.env }),
        ...createOptimizationActivities({ renderReport: deps.renderReport }),
      },
    })
    if (config.report !== undefined) await schedule(config, config.report)
    const running = worker.run()
    const stop = (): void => worker.shutdown()
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
    const where = { address: config.address, namespace: config.namespace, taskQueue: config.taskQueue }
    log.info({ event: 'worker_started', ...where }, `polling ${config.taskQueue} at ${config.address}`)
    deps.onReady?.()
    await running
    log.info({ event: 'worker_stopped' }, 'the worker has ended')
  } finally {
    await connection.close()
  }
}

/** Temporal's own words, in our log's form. */
const temporalLogger = (log: Logger): DefaultLogger =>
  new DefaultLogger('WARN', ({ level, message, meta }) => {
    const cause = meta?.['error'] instanceof Error ? { cause: meta['error'].message } : {}
    log[level === 'ERROR' ? 'error' : 'warn']({ event: 'temporal', ...cause }, message)
  })

async function reach(address: string): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect({ address })
  } catch (error) {
    throw new Error(`cannot reach the Temporal server at ${address}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

async function schedule(config: WorkerConfig, report: NonNullable<WorkerConfig['report']>): Promise<void> {
  const connection = await Connection.connect({ address: config.address })
  try {
    await ensureOptimizationSchedule(new Client({ connection, namespace: config.namespace }), {
      taskQueue: config.taskQueue,
      cron: report.cron,
      input: { roots: report.roots, reportDir: report.dir, format: report.format, keep: report.keep },
    })
  } finally {
    await connection.close()
  }
}
