import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow'
import type { CheckFailure, ComplianceResult } from '../checks/compliance-checks.ts'
import type { Check } from '../checks/compliance-request.ts'
import type { CapturedEntry } from '../trace/entry.ts'
import type { AgentEffort, AgentRequest, AgentRun, Instruction } from '../agent/agent-run.ts'
import { choosePromptVersion } from '../agent/choose-prompt-version.ts'
import { DEFAULT_INSTRUCTIONS } from './instructions.ts'
import { agentEntry, agentFailure, checksEntry } from './step-entries.ts'
import type {
  AuditedBuildActivities,
  AuditedBuildFailure,
  AuditedBuildInput,
  AuditedBuildResult,
  BuildInstructions,
  InstructionVersion,
} from './types.ts'

const MINUTE_MS = 60_000

/** The state of one build. Its steps change it. */
interface Build {
  readonly input: AuditedBuildInput
  readonly activities: Proxies
  /** `''` until the workspace is set up. */
  workingDir: string
  buildId: string
  /** Prompt and completion tokens of all steps so far. */
  totalTokens: number
  fixAttempts: number
  contextHash: string | undefined
}

/**
 * One audited build: scaffold, implement, verify, then fix and verify again up to `maxFixAttempts` times. Every agent
 * step and every verification becomes one line of the trace in the build's directory.
 * Fails with an `ApplicationFailure` of type `AuditedBuildFailed` whose first detail is an `AuditedBuildFailure`.
 */
export async function AuditedBuildWorkflow(input: AuditedBuildInput): Promise<AuditedBuildResult> {
  const maxFixAttempts = input.maxFixAttempts ?? 3
  const build: Build = {
    input,
    activities: proxies(input),
    workingDir: '',
    buildId: workflowInfo().runId,
    totalTokens: 0,
    fixAttempts: 0,
    contextHash: undefined,
  }
  await setUp(build)
  const instructions = chooseInstructions(input, build.buildId)
  const values = { specification: input.specification }
  await agentStep(build, 'scaffold', instructions.scaffold, values)
  await agentStep(build, 'implement_v1', instructions.implement, values)
  let verified = await verifyStep(build, 'initial_verification')
  while (verified.failure !== undefined && build.fixAttempts < maxFixAttempts) {
    build.fixAttempts++
    const attempt = String(build.fixAttempts)
    await fixStep(build, `fix_attempt_${attempt}`, instructions.fix, verified.failure, verified)
    verified = await verifyStep(build, `verification_${attempt}`)
  }
  if (verified.failure !== undefined) {
    const { check, errorType } = verified.failure
    throw buildFailed(build, undefined, { reason: 'checks_failed', step: check, errorType })
  }
  const { workingDir, buildId: workflowRunId, fixAttempts, totalTokens } = build
  const outcome = fixAttempts === 0 ? 'first_pass' : 'after_rework'
  return { outcome, workingDir, workflowRunId, fixAttempts, totalTokens }
}

/** One version of each prompt. The build's id survives retries and resets, and so does the choice. */
function chooseInstructions({ instructions }: AuditedBuildInput, buildId: string): Chosen {
  const { scaffold, implement, fix } = { ...DEFAULT_INSTRUCTIONS, ...instructions }
  const choose = (given: Instruction | readonly InstructionVersion[]): Instruction =>
    isOne(given) ? given : choosePromptVersion(buildId, given)
  try {
    return { scaffold: choose(scaffold), implement: choose(implement), fix: choose(fix) }
  } catch (error) {
    // Any other error would fail the workflow's task, which the server repeats for ever.
    throw ApplicationFailure.nonRetryable((error as Error).message, 'INVALID_PROMPT_VERSIONS')
  }
}

const isOne = (given: Instruction | readonly InstructionVersion[]): given is Instruction =>
  'template' in given

type Chosen = Readonly<Record<keyof BuildInstructions, Instruction>>

async function setUp(build: Build): Promise<void> {
  const { input, activities } = build
  try {
    const workspace = await activities.quick.setupWorkspace({
      root: input.workspaceRoot,
      packageName: input.packageName,
      runId: build.buildId,
      ...(input.templateDir === undefined ? {} : { templateDir: input.templateDir }),
    })
    build.workingDir = workspace.workingDir
    build.buildId = workspace.buildId
  } catch (error) {
    throw buildFailed(build, error, { reason: 'not_set_up', step: 'setup', errorType: 'WORKSPACE' })
  }
}

async function fixStep(
  build: Build,
  step: string,
  instruction: Instruction,
  failure: CheckFailure,
  verified: ComplianceResult,
): Promise<void> {
  const values = {
    specification: build.input.specification,
    error_type: failure.errorType,
    error_log: failure.relevantLog,
    command: verified.commandsAttempted.at(-1) ?? failure.check,
  }
  // The rework cost factor relates the fix's tokens to the log that the agent was shown.
  await agentStep(build, step, instruction, values, {
    validation_error_type: failure.errorType,
    error_log_size_chars: failure.relevantLog.length,
  })
}

async function agentStep(
  build: Build,
  step: string,
  instruction: Instruction,
  values: Record<string, string>,
  more: Partial<CapturedEntry> = {},
): Promise<void> {
  const { input, workingDir } = build
  const request: AgentRequest = {
    workingDir,
    instruction,
    values,
    context: input.context,
    timeoutMs: input.agentTimeoutMs ?? 15 * MINUTE_MS,
    ...(input.agent === undefined ? {} : { agent: input.agent }),
    ...(input.model === undefined ? {} : { model: input.model }),
  }
  const { executeAgent, executeGeminiAgent } = build.activities.agent
  let run: AgentRun
  try {
    // Two names, because builds that an older worker started have the second one in their histories.
    run = await (input.agent === undefined ? executeGeminiAgent : executeAgent)(request, step)
  } catch (error) {
    throw await agentFailed(build, error, request, step, more)
  }
  await logAgent(build, step, run, more)
}

/** Logs what a failed step spent. Returns the error to throw. */
async function agentFailed(
  build: Build,
  error: unknown,
  request: AgentRequest,
  step: string,
  more: Partial<CapturedEntry>,
): Promise<unknown> {
  const { type, message } = agentFailure(error)
  const effort = await CancellationScope.nonCancellable(() =>
    build.activities.quick.accountForAgent(request, step),
  )
  if (effort !== undefined) {
    await logAgent(build, step, effort, {
      // No agent was shown the message, so its length is not an error log size.
      error_log_size_chars: 0,
      ...more,
      validation_error_type: type,
      error_full: message,
    })
  }
  return buildFailed(build, error, { reason: 'agent_failed', step, errorType: type })
}

async function logAgent(
  build: Build,
  step: string,
  effort: AgentEffort,
  more: Partial<CapturedEntry>,
): Promise<void> {
  build.totalTokens += (effort.promptTokens ?? 0) + (effort.completionTokens ?? 0)
  build.contextHash = effort.contextFileHash
  await log(build, step, effort.finishedAt, { ...agentEntry(effort), ...more })
}

async function verifyStep(build: Build, step: string): Promise<ComplianceResult> {
  const { input, workingDir, contextHash } = build
  let result: ComplianceResult
  try {
    result = await build.activities.checks.runComplianceChecks({
      workingDir,
      ...(input.checks === undefined ? {} : { checks: input.checks }),
    })
  } catch (error) {
    if (isCancellation(error)) throw error
    throw buildFailed(build, error, { reason: 'checks_not_run', step, errorType: 'CHECKS_NOT_RUN' })
  }
  const context = contextHash === undefined ? {} : { context_file_hash: contextHash }
  await log(build, step, result.finishedAt, { ...checksEntry(result), ...context })
  return result
}

/**
 * Logs a finished step, even if the build is cancelled meanwhile. `finishedAt` comes from a recorded result and is
 * part of the idempotency key: after a reset of the workflow, a step whose result was kept is not logged again, and a
 * step that ran again is.
 */
async function log(
  { activities, workingDir, buildId, input }: Build,
  step: string,
  finishedAt: string,
  entry: Partial<CapturedEntry>,
): Promise<void> {
  const project = input.project === undefined ? {} : { project: input.project }
  await CancellationScope.nonCancellable(() =>
    activities.quick.logAuditEntry(
      workingDir,
      { workflow_run_id: buildId, step_name: step, timestamp: finishedAt, ...project, ...entry },
      `${buildId}/${step}/${finishedAt}`,
    ),
  )
}

function buildFailed(
  { workingDir, buildId, fixAttempts, totalTokens }: Build,
  cause: unknown,
  facts: Pick<AuditedBuildFailure, 'reason' | 'step' | 'errorType'>,
): unknown {
  if (isCancellation(cause)) return cause
  const details: AuditedBuildFailure = {
    ...facts,
    workingDir,
    workflowRunId: buildId,
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

interface Proxies {
  readonly quick: Pick<AuditedBuildActivities, 'setupWorkspace' | 'accountForAgent' | 'logAuditEntry'>
  readonly agent: Pick<AuditedBuildActivities, 'executeAgent' | 'executeGeminiAgent'>
  readonly checks: Pick<AuditedBuildActivities, 'runComplianceChecks'>
}

function proxies(input: AuditedBuildInput): Proxies {
  // Waits until the agent has ended: the next one must not run in the same workspace at the same time.
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
      startToCloseTimeout: (input.checksTimeoutMs ?? togetherMs(input.checks)) + grace,
      heartbeatTimeout,
      cancellationType,
      retry: { initialInterval: '1s', maximumAttempts: 3 },
    }),
  }
}

/** Timeout of each default check, and of a check without its own. */
const CHECK_TIMEOUT_MS = 10 * MINUTE_MS
const DEFAULT_CHECKS_COUNT = 4

function togetherMs(checks: readonly Check[] | undefined): number {
  if (checks === undefined) return DEFAULT_CHECKS_COUNT * CHECK_TIMEOUT_MS
  return checks.reduce((sum, { timeoutMs = CHECK_TIMEOUT_MS }) => sum + timeoutMs, 0)
}
