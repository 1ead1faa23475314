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
  /** Maximum number of agents and checks that run at once on this machine. Default 4. */
  readonly maxConcurrentActivities?: number
}

export const DEFAULT_TASK_QUEUE = 'audited-builds'

/** Path of the workflows for your own worker: `.ts` in a clone, `.js` in the published package. */
export const workflowsPath: string = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './workflows.ts' : './workflows.js', import.meta.url),
)

/** Creates a worker for `AuditedBuildWorkflow` and `OptimizationWorkflow`. Run it and shut it down like any other. */
export function createAuditWorker(options: AuditWorkerOptions): Promise<Worker> {
  return Worker.create({
    connection: options.connection,
    namespace: options.namespace ?? 'default',
    taskQueue: options.taskQueue ?? DEFAULT_TASK_QUEUE,
    workflowsPath,
    activities: options.activities,
    maxConcurrentActivityTaskExecutions: options.maxConcurrentActivities ?? 4,
    // A cancelled agent needs some seconds to end.
    shutdownGraceTime: '10s',
  })
}
