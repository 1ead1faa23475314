import { fileURLToPath } from 'node:url'
import { Worker, type NativeConnection } from '@temporalio/worker'
import type { AuditedBuildActivities, OptimizationActivities } from './types.ts'

export interface AuditWorkerOptions {
  readonly connection: NativeConnection
  readonly activities: AuditedBuildActivities & OptimizationActivities
  /** Default `default`. */
  readonly namespace?: string
  /** Default `audited-builds`. */
  readonly taskQueue?: string
  /** How many agents and checks run at once on this machine. Default 4. */
  readonly maxConcurrentActivities?: number
}

export const DEFAULT_TASK_QUEUE = 'audited-builds'

/** Where the workflows stand, for a worker of one's own: `.ts` in a clone, `.js` in the published package. */
export const workflowsPath: string = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './workflows.ts' : './workflows.js', import.meta.url),
)

/** A worker for `AuditedBuildWorkflow` and `OptimizationWorkflow`. Run it, and shut it down, as any other. */
export function createAuditWorker(options: AuditWorkerOptions): Promise<Worker> {
  return Worker.create({
    connection: options.connection,
    namespace: options.namespace ?? 'default',
    taskQueue: options.taskQueue ?? DEFAULT_TASK_QUEUE,
    workflowsPath,
    activities: options.activities,
    maxConcurrentActivityTaskExecutions: options.maxConcurrentActivities ?? 4,
    // An agent that is cancelled needs its seconds to end.
    shutdownGraceTime: '10s',
  })
}
