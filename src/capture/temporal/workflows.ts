// Bundled by the worker and run in Temporal's sandbox: no Node.js modules, no system clock, no random numbers.
export { AuditedBuildWorkflow } from './audited-build.ts'
export { OptimizationWorkflow } from './optimization.ts'
