// The entry point `audit-trace-capture`, which is also `audit-trace-exporter/capture`: everything for writing traces that does not need Temporal.
import '../require-node.ts'

export type { OptimizationLogEntry } from '../entry/entry.ts'
export type { ValidationStatus } from '../entry/validation-status.ts'
export { classifyFailure, type CheckKind } from '../capture/checks/classify-failure.ts'
export {
  DEFAULT_CHECKS,
  runComplianceChecks,
  type Check,
  type CheckFailure,
  type ComplianceDeps,
  type ComplianceRequest,
  type ComplianceResult,
} from '../capture/checks/compliance-checks.ts'
export type { CapturedEntry, EstimatedField } from '../capture/trace/entry.ts'
export {
  executeGeminiAgent,
  type AgentDeps,
  type AgentEffort,
  type AgentRequest,
  type AgentResult,
  type AgentRun,
  type Instruction,
} from '../capture/agent/gemini-agent.ts'
export { isRetryable, type AgentFailureReason, type AgentTokens } from '../capture/agent/gemini-output.ts'
export type { Price } from '../entry/prices.ts'
export {
  appendAuditEntry,
  logAuditEntry,
  TRACE_FILE_NAME,
  type GivenEntry,
  type LogAuditOptions,
  type LoggedEntry,
} from '../capture/trace/log-audit-entry.ts'
export { estimateTokens, type TokenEstimator } from '../capture/agent/token-estimate.ts'
export { setupWorkspace, type WorkspaceRequest } from '../capture/agent/workspace.ts'
