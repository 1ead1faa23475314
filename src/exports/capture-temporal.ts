// The entry point `audit-trace-capture/temporal`: everything for audited builds in Temporal.
import '../require-node.ts'

export { createAuditedBuildActivities, type AuditedBuildDeps } from '../capture/temporal/activities.ts'
export { collectFromClient, type CollectFromClientDeps, type CollectRequest } from '../collect/from-client.ts'
export type { CollectSummary } from '../collect/collect.ts'
export { DEFAULT_INSTRUCTIONS } from '../capture/temporal/instructions.ts'
export {
  createOptimizationActivities,
  type OptimizationDeps,
  type ReportRows,
} from '../capture/temporal/optimization-activities.ts'
export { ensureOptimizationSchedule, type OptimizationScheduleOptions } from '../capture/temporal/schedule.ts'
export type * from '../capture/temporal/types.ts'
export {
  createAuditWorker,
  DEFAULT_TASK_QUEUE,
  workflowsPath,
  type AuditWorkerOptions,
} from '../capture/temporal/worker.ts'
