import type { Check, ComplianceRequest } from '../checks/compliance-request.ts'
import type { CapturedEntry } from '../trace/entry.ts'
import type { AgentEffort, AgentRequest, AgentRun, Instruction } from '../agent/agent-run.ts'
import type { WeightedVersion } from '../agent/choose-prompt-version.ts'
import type { ComplianceResult } from '../checks/compliance-checks.ts'
import type { WorkspaceRequest } from '../agent/workspace.ts'

// Shared by workflows, activities and clients. Types only: a workflow's bundle must not contain Node.js modules.

export interface AuditedBuildInput {
  readonly packageName: string
  /** Parent directory of all builds on the worker's machine. This build gets `workspaceRoot/package/run`. */
  readonly workspaceRoot: string
  /** What to build. Replaces `{{specification}}` in the instructions. */
  readonly specification: string
  /** `gemini-cli` (default), `claude-code`, `codex-cli`, or an adapter that the worker has under this name. */
  readonly agent?: AgentRequest['agent']
  /** Content of the agent's context file: GEMINI.md, CLAUDE.md or AGENTS.md. */
  readonly context: string
  /** Copied into the new workspace before the agent starts. */
  readonly templateDir?: string
  readonly model?: string
  /** The project in the audits, the same in every entry of the build. Default: none. */
  readonly project?: string
  /** Default: the prompts in `instructions.ts`. */
  readonly instructions?: Partial<BuildInstructions>
  /** Default: npm install, build, lint, test. */
  readonly checks?: readonly Check[]
  /** Default 3. With 0 the first failing verification ends the build. */
  readonly maxFixAttempts?: number
  /** Timeout of one run of the agent. Default 15 minutes. */
  readonly agentTimeoutMs?: number
  /** Timeout of all checks of one verification. Default: the sum of their timeouts. */
  readonly checksTimeoutMs?: number
  /** Maximum attempts at one run of the agent. Default 5. */
  readonly agentAttempts?: number
  /** Backoff before the second attempt; doubles with each further one. Default 10 seconds. */
  readonly agentRetryMs?: number
  /** A dead worker is noticed within this time. Default 30 seconds. */
  readonly heartbeatTimeoutMs?: number
}

/** One of several versions of a prompt, with its name and weight. */
export type InstructionVersion = Omit<Instruction, 'assignment'> & WeightedVersion

/**
 * Of several versions each build is assigned one at random. The fix instruction may also contain `{{error_type}}`,
 * `{{error_log}}` and `{{command}}`.
 */
export interface BuildInstructions {
  readonly scaffold: Instruction | readonly InstructionVersion[]
  readonly implement: Instruction | readonly InstructionVersion[]
  readonly fix: Instruction | readonly InstructionVersion[]
}

export interface AuditedBuildResult {
  readonly outcome: 'first_pass' | 'after_rework'
  readonly workingDir: string
  readonly workflowRunId: string
  readonly fixAttempts: number
  /** Prompt and completion of all steps. */
  readonly totalTokens: number
}

/** Why a build did not pass: the details of the `ApplicationFailure` of type `AuditedBuildFailed`. */
export interface AuditedBuildFailure {
  readonly reason: 'checks_failed' | 'agent_failed' | 'checks_not_run' | 'not_set_up'
  /** `''` if no workspace was created. */
  readonly workingDir: string
  readonly workflowRunId: string
  readonly step: string
  readonly errorType: string
  readonly fixAttempts: number
  readonly totalTokens: number
}

export interface Workspace {
  readonly workingDir: string
  /**
   * The `workflow_run_id` of this build in the trace. It comes from a recorded result, not from the workflow: a reset
   * changes the run id of the workflow but not the directory.
   */
  readonly buildId: string
}

export interface AuditedBuildActivities {
  setupWorkspace(request: WorkspaceRequest): Promise<Workspace>
  /**
   * Returns the sums over all attempts. `step` identifies the step for `accountForAgent`; default: the activity's id.
   * The first detail of a failure is an `AgentEffort`.
   */
  executeAgent(request: AgentRequest, step?: string): Promise<AgentRun>
  /** `executeAgent` for the Gemini CLI. */
  executeGeminiAgent(request: AgentRequest, step?: string): Promise<AgentRun>
  /**
   * What all attempts at a failed step spent, in the same workflow run; `undefined` if none has begun. Ends an agent
   * that is still running.
   */
  accountForAgent(request: AgentRequest, step: string): Promise<AgentEffort | undefined>
  runComplianceChecks(request: ComplianceRequest): Promise<ComplianceResult>
  /** `idempotencyKey`: default the activity's id, which is the same in every attempt. */
  logAuditEntry(workingDir: string, entry: Partial<CapturedEntry>, idempotencyKey?: string): Promise<void>
}

export type ReportFormat = 'markdown' | 'html' | 'json'

export interface OptimizationInput {
  /** Directories and files on the worker's machine. */
  readonly roots: readonly string[]
  readonly reportDir: string
  /** Default `markdown`. */
  readonly format?: ReportFormat
  /** Number of reports to keep in `reportDir`. Default 14. */
  readonly keep?: number
  /** Rebuilds traces from the histories of the workflows that a query selects, and reports on them as well. */
  readonly collect?: CollectInput
  /** Divides the traces among all workers of the task queue. */
  readonly shards?: ShardsInput
  /** How long a worker may be silent until its activity is given to another one. Default two minutes. */
  readonly heartbeatTimeoutMs?: number
  /** Where a run goes on that was continued as new. The workflow sets it itself. */
  readonly resume?: OptimizationResume
}

export interface ShardsInput {
  /**
   * How many activities the traces are divided into, by the directories they are in: some times the number of workers.
   * Another number begins with new rows.
   */
  readonly count: number
  /** Directory that all workers share, for the rows of the shards: each run reads only what is new. */
  readonly dir: string
}

export interface OptimizationResume {
  /** Part of the report's name. */
  readonly name: string
  readonly nextShard: number
  readonly tracesRead: number
  readonly collected?: CollectResult
}

export interface ShardRequest {
  readonly roots: readonly string[]
  /** The directory for the rows of all shards. */
  readonly dir: string
  /** From 0. */
  readonly shard: number
  readonly count: number
}

export interface CollectInput {
  /** A visibility query, such as `WorkflowType="AuditedBuildWorkflow"`. */
  readonly query: string
  /** Directory on the worker's machine for the traces. It must not be below the roots. */
  readonly dir: string
}

export interface CollectResult {
  readonly workflows: number
  /** Entries written now, and those that the directory had already. */
  readonly written: number
  readonly present: number
  /** Entries that cannot be read, and histories that the server has deleted. */
  readonly missing: number
}

export interface OptimizationResult {
  readonly reportFile: string
  readonly tracesRead: number
  readonly reportsRemoved: number
  /** What was collected, if that was asked for. */
  readonly collected?: CollectResult
}

export interface OptimizationActivities {
  /** Rebuilds traces from Temporal's history. What the directory has already is not written again. */
  collectTraces(request: CollectInput): Promise<CollectResult>
  /** Writes a report over all traces below the roots. `name` is part of the file name, so that a retry replaces it. */
  writeReport(request: {
    readonly roots: readonly string[]
    readonly reportDir: string
    readonly format: ReportFormat
    readonly name: string
  }): Promise<{ readonly reportFile: string; readonly tracesRead: number }>
  /** Adds to the rows of one shard what its traces have grown by. Returns the number of traces. */
  updateShard(request: ShardRequest): Promise<number>
  /** Writes a report over the rows of all shards. */
  writeReportOfShards(request: {
    readonly dir: string
    readonly count: number
    readonly reportDir: string
    readonly format: ReportFormat
    readonly name: string
  }): Promise<string>
  /** Removes all but the newest `keep` reports, and partial files of killed writers. Returns the number of reports removed. */
  pruneReports(reportDir: string, keep: number): Promise<number>
}
