// The door `audit-trace-exporter/temporal`.
export { createAuditedBuildActivities, type AuditedBuildDeps } from './activities.ts'
export { DEFAULT_INSTRUCTIONS } from './instructions.ts'
export { createOptimizationActivities, type OptimizationDeps } from './optimization-activities.ts'
export { renderReport } from '../../commands/render-report.ts'
export { ensureOptimizationSchedule, type OptimizationScheduleOptions } from './schedule.ts'
export type * from './types.ts'
export { createAuditWorker, DEFAULT_TASK_QUEUE, workflowsPath, type AuditWorkerOptions } from './worker.ts'
