// The bundle that a worker runs in Temporal's sandbox. Nothing in it may touch Node.js, the clock or chance.
export { AuditedBuildWorkflow } from './audited-build.ts'
export { OptimizationWorkflow } from './optimization.ts'
