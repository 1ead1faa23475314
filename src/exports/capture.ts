// The entry point `audit-trace-capture`, which is also `audit-trace-exporter/capture`: everything for writing traces that does not need Temporal.
import '../require-node.ts'

export type { OptimizationLogEntry } from '../entry/entry.ts'
export type { ValidationStatus } from '../entry/validation-status.ts'
export { classifyFailure, type CheckKind } from '../capture/checks/classify-failure.ts'
export {
  DEFAULT_CHECKS,
  runComplianceChecks,
  type CheckFailure,
  type ComplianceDeps,
  type ComplianceResult,
} from '../capture/checks/compliance-checks.ts'
export type { Check, ComplianceRequest } from '../capture/checks/compliance-request.ts'
export type { CapturedEntry, EstimatedField } from '../capture/trace/entry.ts'
export type {
  AgentDeps,
  AgentEffort,
  AgentRequest,
  AgentResult,
  AgentRun,
  Instruction,
} from '../capture/agent/agent-run.ts'
export { executeAgent, executeGeminiAgent } from '../capture/agent/execute-agent.ts'
export {
  isRetryable,
  type AgentAdapter,
  type AgentAnswer,
  type AgentFailureReason,
  type AgentTokens,
  type Estimator,
  type ModelTokens,
  type SessionQuery,
} from '../capture/agent/agent-adapter.ts'
export { AGENTS, type AgentName } from '../capture/agent/agents.ts'
export type { ProcessResult } from '../capture/process/run-process.ts'
export type { Price } from '../entry/prices.ts'
export {
  appendAuditEntry,
  logAuditEntry,
  TRACE_FILE_NAME,
  type GivenEntry,
  type LogAuditOptions,
  type LoggedEntry,
} from '../capture/trace/log-audit-entry.ts'
export {
  ESTIMATE_ERROR,
  estimateO200kTokens,
  estimateTokens,
  type TokenEstimator,
} from '../capture/agent/token-estimate.ts'
export { setupWorkspace, type WorkspaceRequest } from '../capture/agent/workspace.ts'
export {
  choosePromptVersion,
  type ChosenVersion,
  type WeightedVersion,
} from '../capture/agent/choose-prompt-version.ts'
