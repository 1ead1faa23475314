import type { Check } from '../checks/compliance-checks.ts'
import type { CapturedEntry } from '../trace/entry.ts'
import type { AgentEffort, AgentRequest, AgentRun, Instruction } from '../agent/gemini-agent.ts'
import type { ComplianceRequest, ComplianceResult } from '../checks/compliance-checks.ts'
import type { WorkspaceRequest } from '../agent/workspace.ts'

// What workflows, activities and clients share: types only, so that a workflow's bundle stays free of Node.js.

export interface AuditedBuildInput {
  readonly packageName: string
  /** Where the builds of all packages live, on the worker's machine: `workspaceRoot/package/run` is this one's. */
  readonly workspaceRoot: string
  /** What to build; instructions say `{{specification}}` where it goes. */
  readonly specification: string
  /** Content of GEMINI.md. */
  readonly context: string
  /** Copied into the new workspace before the agent sees it. */
  readonly templateDir?: string
  readonly model?: string
  /** Default: the wordings in `instructions.ts`. */
  readonly instructions?: Partial<BuildInstructions>
  /** Default: npm install, build, lint, test. */
  readonly checks?: readonly Check[]
  /** Default 3; 0 means that the first failing verification ends the build. */
  readonly maxFixAttempts?: number
  /** One run of the agent. Default 15 minutes. */
  readonly agentTimeoutMs?: number
  /** All checks of one verification. Default: as long as each of them may take, one after the other. */
  readonly checksTimeoutMs?: number
  /** How often one run of the agent is tried. Default 5. */
  readonly agentAttempts?: number
  /** Pause before the second try; doubles with each further one. Default 10 seconds. */
  readonly agentRetryMs?: number
  /** Within how long a worker that died is noticed. Default 30 seconds. */
  readonly heartbeatTimeoutMs?: number
}

/** The fix instruction may also say `{{error_type}}`, `{{error_log}}` and `{{command}}`. */
export interface BuildInstructions {
  readonly scaffold: Instruction
  readonly implement: Instruction
  readonly fix: Instruction
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
  /** `''` where no workspace was set up. */
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
   * What the trace calls this build. It comes from a recorded result and not from the workflow, because a reset gives
   * the workflow another run id, and leaves it the same directory.
   */
  readonly buildId: string
}

export interface AuditedBuildActivities {
  setupWorkspace(request: WorkspaceRequest): Promise<Workspace>
  /**
   * The counts are those of all attempts. `step` names what `accountForAgent` can be asked for; default this
   * activity's own id. A failure's first detail is an `AgentEffort`, where there is one to tell.
   */
  executeGeminiAgent(request: AgentRequest, step?: string): Promise<AgentRun>
  /**
   * What all attempts at a step took that came to no result, in the same workflow run; `undefined` where none has
   * begun. Ends an agent that is still at it.
   */
  accountForAgent(request: AgentRequest, step: string): Promise<AgentEffort | undefined>
  runComplianceChecks(request: ComplianceRequest): Promise<ComplianceResult>
  /** `idempotencyKey`: default this activity's own id, the same in every attempt. */
  logAuditEntry(workingDir: string, entry: Partial<CapturedEntry>, idempotencyKey?: string): Promise<void>
}

export type ReportFormat = 'markdown' | 'html' | 'json'

export interface OptimizationInput {
  /** Directories and files on the worker's machine. */
  readonly roots: readonly string[]
  readonly reportDir: string
  /** Default `markdown`. */
  readonly format?: ReportFormat
  /** How many reports stay in `reportDir`. Default 14. */
  readonly keep?: number
}

export interface OptimizationResult {
  readonly reportFile: string
  readonly tracesRead: number
  readonly reportsRemoved: number
}

export interface OptimizationActivities {
  /** Reports over all traces below the roots. `name` makes a repeated write the same file. */
  writeReport(request: {
    readonly roots: readonly string[]
    readonly reportDir: string
    readonly format: ReportFormat
    readonly name: string
  }): Promise<{ readonly reportFile: string; readonly tracesRead: number }>
  /** Removes all but the newest reports, and what writers that were killed left behind; returns how many reports. */
  pruneReports(reportDir: string, keep: number): Promise<number>
}
