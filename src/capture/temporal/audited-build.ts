import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow'
import type { CheckFailure, ComplianceResult } from '../compliance-checks.ts'
import type { CapturedEntry } from '../entry.ts'
import type { AgentRun, Instruction } from '../gemini-agent.ts'
import type { Spent } from '../spent-tokens.ts'
import { DEFAULT_INSTRUCTIONS } from './instructions.ts'
import type {
  AuditedBuildActivities,
  AuditedBuildFailure,
  AuditedBuildInput,
  AuditedBuildResult,
} from './types.ts'

const MINUTE_MS = 60_000

/**
 * One audited build: scaffold, implement, verify, and as often as allowed fix and verify again. Every step of the
 * agent and every verification becomes one line of the trace in the build's directory.
 * Fails with an `ApplicationFailure` of type `AuditedBuildFailed` whose first detail is an `AuditedBuildFailure`.
 */
export async function AuditedBuildWorkflow(input: AuditedBuildInput): Promise<AuditedBuildResult> {
  const { runId } = workflowInfo()
  const activities = proxies(input)
  const instructions = { ...DEFAULT_INSTRUCTIONS, ...input.instructions }
  const maxFixAttempts = input.maxFixAttempts ?? 3
  let workingDir = ''
  let totalTokens = 0
  let fixAttempts = 0
  let contextHash: string | undefined

  const base = { specification: input.specification }
  try {
    workingDir = await activities.quick.setupWorkspace({
      root: input.workspaceRoot,
      packageName: input.packageName,
      runId,
      ...(input.templateDir === undefined ? {} : { templateDir: input.templateDir }),
    })
  } catch (error) {
    throw buildFailed(error, { reason: 'not_set_up', step: 'setup', errorType: 'WORKSPACE' })
  }

  await agentStep('scaffold', instructions.scaffold, base)
  await agentStep('implement_v1', instructions.implement, base)
  let verified = await verifyStep('initial_verification')
  while (verified.failure !== undefined && fixAttempts < maxFixAttempts) {
    fixAttempts++
    await fixStep(`fix_attempt_${String(fixAttempts)}`, verified.failure, verified)
    verified = await verifyStep(`verification_${String(fixAttempts)}`)
  }
  if (verified.failure !== undefined) {
    const { check, errorType } = verified.failure
    throw buildFailed(undefined, { reason: 'checks_failed', step: check, errorType })
  }
  const outcome = fixAttempts === 0 ? 'first_pass' : 'after_rework'
  return { outcome, workingDir, workflowRunId: runId, fixAttempts, totalTokens }

  async function fixStep(step: string, failure: CheckFailure, verified: ComplianceResult): Promise<void> {
    const values = {
      ...base,
      error_type: failure.errorType,
      error_log: failure.relevantLog,
      command: verified.commandsAttempted.at(-1) ?? failure.check,
    }
    // What the agent is given to read is what its tokens are held against.
    await agentStep(step, instructions.fix, values, {
      validation_error_type: failure.errorType,
      error_log_size_chars: failure.relevantLog.length,
    })
  }

  async function agentStep(
    step: string,
    instruction: Instruction,
    values: Record<string, string>,
    more: Partial<CapturedEntry> = {},
  ): Promise<void> {
    let run: AgentRun
    try {
      run = await activities.agent.executeGeminiAgent({
        workingDir,
        instruction,
        values,
        context: input.context,
        timeoutMs: input.agentTimeoutMs ?? 15 * MINUTE_MS,
        ...(input.model === undefined ? {} : { model: input.model }),
      })
    } catch (error) {
      if (isCancellation(error)) throw error
      const { type, message, tokens } = agentFailure(error)
      const { costUsd } = tokens
      totalTokens += tokens.prompt + tokens.completion
      await log(step, {
        ...more,
        prompt_token_count: tokens.prompt,
        completion_token_count: tokens.completion,
        validation_status: 'N/A',
        validation_error_type: type,
        error_full: message,
        ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
        ...(input.model === undefined ? {} : { model: input.model }),
      })
      throw buildFailed(error, { reason: 'agent_failed', step, errorType: type })
    }
    totalTokens += run.promptTokens + run.completionTokens
    contextHash = run.contextFileHash
    await log(step, { ...agentEntry(run), ...more })
  }

  async function verifyStep(step: string): Promise<ComplianceResult> {
    let result: ComplianceResult
    try {
      result = await activities.checks.runComplianceChecks({
        workingDir,
        ...(input.checks === undefined ? {} : { checks: input.checks }),
      })
    } catch (error) {
      if (isCancellation(error)) throw error
      throw buildFailed(error, { reason: 'checks_not_run', step, errorType: 'CHECKS_NOT_RUN' })
    }
    await log(step, { ...checksEntry(result), ...(contextHash ? { context_file_hash: contextHash } : {}) })
    return result
  }

  /** A step that has been taken is logged even if the build is cancelled meanwhile. */
  async function log(step: string, entry: Partial<CapturedEntry>): Promise<void> {
    await CancellationScope.nonCancellable(() =>
      activities.quick.logAuditEntry(
        workingDir,
        { workflow_run_id: runId, step_name: step, ...entry },
        `${runId}/${step}`,
      ),
    )
  }

  function buildFailed(
    cause: unknown,
    facts: Pick<AuditedBuildFailure, 'reason' | 'step' | 'errorType'>,
  ): unknown {
    if (isCancellation(cause)) return cause
    const details: AuditedBuildFailure = {
      ...facts,
      workingDir,
      workflowRunId: runId,
      fixAttempts,
      totalTokens,
    }
    return ApplicationFailure.create({
      type: 'AuditedBuildFailed',
      message: `${facts.step}: ${facts.errorType} (${facts.reason})`,
      nonRetryable: true,
      details: [details],
      ...(cause instanceof Error ? { cause } : {}),
    })
  }
}

interface Proxies {
  readonly quick: Pick<AuditedBuildActivities, 'setupWorkspace' | 'logAuditEntry'>
  readonly agent: Pick<AuditedBuildActivities, 'executeGeminiAgent'>
  readonly checks: Pick<AuditedBuildActivities, 'runComplianceChecks'>
}

function proxies(input: AuditedBuildInput): Proxies {
  // Until the agent has really ended: the next one must not meet it in the workspace.
  const cancellationType = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED
  const heartbeatTimeout = input.heartbeatTimeoutMs ?? 30_000
  const grace = MINUTE_MS
  return {
    quick: proxyActivities<AuditedBuildActivities>({
      startToCloseTimeout: '1 minute',
      retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 20 },
    }),
    agent: proxyActivities<AuditedBuildActivities>({
      startToCloseTimeout: (input.agentTimeoutMs ?? 15 * MINUTE_MS) + grace,
      heartbeatTimeout,
      cancellationType,
      retry: {
        initialInterval: input.agentRetryMs ?? 10_000,
        maximumAttempts: input.agentAttempts ?? 5,
      },
    }),
    checks: proxyActivities<AuditedBuildActivities>({
      startToCloseTimeout: (input.checksTimeoutMs ?? 30 * MINUTE_MS) + grace,
      heartbeatTimeout,
      cancellationType,
      retry: { initialInterval: '1s', maximumAttempts: 3 },
    }),
  }
}

function agentEntry(run: AgentRun): Partial<CapturedEntry> {
  return {
    timestamp: run.finishedAt,
    prompt_token_count: run.promptTokens,
    completion_token_count: run.completionTokens,
    context_file_hash: run.contextFileHash,
    validation_status: 'N/A',
    files_touched: [...run.filesTouched],
    commands_attempted: [],
    context_token_count: run.contextTokens,
    instruction_token_count: run.instructionTokens,
    instruction_version: run.instructionVersion,
    duration_ms: run.durationMs,
    ...(run.model === undefined ? {} : { model: run.model }),
    ...(run.costUsd === undefined ? {} : { cost_usd: run.costUsd }),
    estimated_fields: run.estimatedFields,
  }
}

function checksEntry(result: ComplianceResult): Partial<CapturedEntry> {
  const entry: Partial<CapturedEntry> = {
    timestamp: result.finishedAt,
    validation_status: result.status,
    commands_attempted: [...result.commandsAttempted],
    files_touched: [],
    duration_ms: result.durationMs,
  }
  if (result.failure === undefined) return entry
  return {
    ...entry,
    validation_error_type: result.failure.errorType,
    error_full: result.failure.log,
    error_log_size_chars: result.failure.logChars,
  }
}

interface AgentFailureFacts {
  readonly type: string
  readonly message: string
  /** Of all attempts. */
  readonly tokens: Spent
}

/** What the last attempt's failure says; a timeout by the server says nothing but that. */
function agentFailure(error: unknown): AgentFailureFacts {
  const cause = error instanceof ActivityFailure ? error.cause : error
  const none: Spent = { prompt: 0, completion: 0 }
  if (!(cause instanceof ApplicationFailure)) {
    return {
      type: 'AGENT_LOST',
      message: cause instanceof Error ? cause.message : String(cause),
      tokens: none,
    }
  }
  const [tokens] = (cause.details ?? []) as [Spent?]
  const known = cause.type?.startsWith('AGENT_') === true
  return { type: known ? (cause.type ?? '') : 'AGENT_FAILED', message: cause.message, tokens: tokens ?? none }
}
