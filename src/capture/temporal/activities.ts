import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity'
import type { AgentDeps, AgentEffort, AgentRequest, AgentRun } from '../agent/agent-run.ts'
import { describeEffort, executeAgent } from '../agent/execute-agent.ts'
import { estimatedFields } from '../agent/run-counts.ts'
import { runComplianceChecks, type ComplianceDeps } from '../checks/compliance-checks.ts'
import { firstSnapshot } from '../agent/first-snapshot.ts'
import { isRetryable, sumTokens, type AgentAdapter } from '../agent/agent-adapter.ts'
import { adapterOf } from '../agent/agents.ts'
import { logAuditEntry, type LogAuditOptions } from '../trace/log-audit-entry.ts'
import { endOrphan } from '../process/orphan.ts'
import {
  beginAttempt,
  endAttempt,
  openAttempts,
  sumAttempts,
  type Spent,
  type StepSpent,
} from '../agent/spent-tokens.ts'
import { truncateText } from '../truncate-text.ts'
import { setupWorkspace } from '../agent/workspace.ts'
import { withHeartbeats } from './heartbeats.ts'
import type { AuditedBuildActivities } from './types.ts'

export interface AuditedBuildDeps {
  /** Environment of the agents and the checks, including the agents' API keys. */
  readonly env: NodeJS.ProcessEnv
  readonly agent?: Pick<AgentDeps, 'adapters' | 'command' | 'estimate' | 'prices'>
  readonly checks?: Pick<ComplianceDeps, 'passEnv'>
  readonly log?: Pick<LogAuditOptions, 'errorLimitChars' | 'fileName' | 'durable'>
  readonly heartbeatEveryMs?: number
}

const HEARTBEAT_MS = 1_000
/** The answer is for people who look at the workflow: limited to keep the history small. */
const TEXT_LIMIT_CHARS = 20_000

/** The activities of `AuditedBuildWorkflow`, ready for a worker. */
export function createAuditedBuildActivities(deps: AuditedBuildDeps): AuditedBuildActivities {
  const heartbeatMs = deps.heartbeatEveryMs ?? HEARTBEAT_MS
  const adapterFor = ({ agent }: AgentRequest): AgentAdapter => {
    try {
      return adapterOf(agent, deps.agent?.adapters)
    } catch (error) {
      throw permanent('AGENT_UNKNOWN', error as TypeError)
    }
  }

  async function runAgent(request: AgentRequest, step?: string): Promise<AgentRun> {
    const { workingDir } = request
    const key = stepKey(step)
    const result = await withHeartbeats(heartbeatMs, async (signal) => {
      await settleAttempts(workingDir, adapterFor(request), deps.env)
      const before = await firstSnapshot(workingDir, key)
      const attempt = await beginAttempt(workingDir, key)
      const result = await executeAgent(request, { ...deps.agent, env: deps.env, signal, before })
      await endAttempt(workingDir, attempt, spentBy(result.run))
      return result
    }).catch((error: unknown) => {
      throw error instanceof TypeError ? permanent('AGENT_BAD_INSTRUCTION', error) : error
    })
    if (!result.ok && result.reason === 'cancelled') throw ended('the agent was cancelled')
    const spent = await sumAttempts(workingDir, key)
    if (result.ok) return { ...runOfStep(result.run, spent), response: bounded(result.run.response) }
    throw ApplicationFailure.create({
      type: `AGENT_${result.reason.toUpperCase()}`,
      message: bounded(result.message),
      nonRetryable: !isRetryable(result.reason),
      details: [effortOfStep(result.run, spent)],
    })
  }

  return {
    async setupWorkspace(request) {
      try {
        return { workingDir: await setupWorkspace(request), buildId: request.runId }
      } catch (error) {
        throw error instanceof TypeError ? permanent('INVALID_WORKSPACE', error) : error
      }
    },

    executeAgent: runAgent,
    executeGeminiAgent: (request, step) => runAgent({ ...request, agent: 'gemini-cli' }, step),

    async accountForAgent(request, step) {
      const { workingDir } = request
      const key = stepKey(step)
      if ((await sumAttempts(workingDir, key)).attempts === 0) return undefined
      await settleAttempts(workingDir, adapterFor(request), deps.env)
      const spent = await sumAttempts(workingDir, key)
      const before = await firstSnapshot(workingDir, key)
      return effortOfStep(await describeEffort(request, { ...deps.agent, before }), spent)
    },

    async runComplianceChecks(request) {
      return await withHeartbeats(heartbeatMs, async (signal) => {
        try {
          return await runComplianceChecks(request, { ...deps.checks, env: deps.env, signal })
        } catch (error) {
          if (error instanceof TypeError) throw permanent('INVALID_CHECKS', error)
          throw signal.aborted ? ended('the checks were cancelled') : error
        }
      })
    },

    async logAuditEntry(workingDir, entry, idempotencyKey) {
      try {
        await logAuditEntry(workingDir, entry, {
          ...deps.log,
          idempotencyKey: idempotencyKey ?? stepKey(undefined),
        })
      } catch (error) {
        throw error instanceof TypeError ? permanent('INVALID_ENTRY', error) : error
      }
    },
  }
}

/** Identifies the step: the same in all its attempts. */
function stepKey(step: string | undefined): string {
  const { activityId, workflowExecution } = Context.current().info
  return `${workflowExecution?.runId ?? ''}/${step ?? activityId}`
}

/**
 * Records what attempts spent whose worker died. The counts come from the CLI's own record of the conversation and are
 * a lower bound. Agents that are still running are ended first.
 */
async function settleAttempts(
  workingDir: string,
  adapter: AgentAdapter,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  await endOrphan(workingDir)
  for (const attempt of await openAttempts(workingDir)) {
    const { begunMs: sinceMs, untilMs } = attempt
    const models = await adapter.sessionTokens({ env, workingDir, sinceMs, untilMs })
    const { prompt, cached, completion } = sumTokens(models ?? [])
    await endAttempt(workingDir, attempt, { prompt, cached, completion, isWhole: false })
  }
}

function spentBy(run: AgentEffort): Spent {
  const { promptTokens: prompt, cachedTokens: cached, completionTokens: completion, model } = run
  const { costUsd, durationMs } = run
  return {
    isWhole: prompt !== undefined && !run.estimatedFields.includes('prompt_token_count'),
    ...(prompt === undefined ? {} : { prompt }),
    ...(cached === undefined ? {} : { cached }),
    ...(completion === undefined ? {} : { completion }),
    ...(costUsd === undefined ? {} : { costUsd }),
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(model === undefined ? {} : { model }),
  }
}

/** The effort of one attempt with the sums over all attempts. A sum is set only if it is known for all of them. */
function effortOfStep(effort: AgentEffort, spent: StepSpent): AgentEffort {
  const { promptTokens: _, cachedTokens: __, completionTokens: ___, ...uncounted } = effort
  const { costUsd: ____, durationMs: _____, ...same } = uncounted
  const { prompt, cached, completion, costUsd, durationMs, model } = spent
  const isKnown = prompt !== undefined && completion !== undefined
  return {
    ...same,
    ...(isKnown ? { promptTokens: prompt, completionTokens: completion } : {}),
    ...(isKnown && cached !== undefined ? { cachedTokens: cached } : {}),
    estimatedFields: estimatedFields(spent.isWhole || !isKnown, cached !== undefined),
    ...(model === undefined ? {} : { model }),
    ...(costUsd === undefined ? {} : { costUsd }),
    ...(durationMs === undefined ? {} : { durationMs }),
  }
}

function runOfStep(run: AgentRun, spent: StepSpent): AgentRun {
  const { cachedTokens: _, costUsd: __, ...same } = run
  return { ...same, ...effortOfStep(run, spent) }
}

const bounded = (text: string): string => truncateText(text, TEXT_LIMIT_CHARS)

/** A cancelled build ends. If only the worker shuts down, the activity is retried on another worker. */
function ended(message: string): Error {
  const isShutdown = Context.current().cancellationDetails?.workerShutdown === true
  return isShutdown
    ? ApplicationFailure.retryable(`${message}: the worker is shutting down`, 'WORKER_SHUTDOWN')
    : new CancelledFailure(message)
}

const permanent = (type: string, error: Error): ApplicationFailure =>
  ApplicationFailure.create({ type, message: error.message, nonRetryable: true, cause: error })
