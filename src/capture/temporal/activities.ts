import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity'
import { executeGeminiAgent, type AgentDeps, type AgentResult, type AgentRun } from '../gemini-agent.ts'
import { isRetryable } from '../gemini-output.ts'
import { runComplianceChecks, type ComplianceDeps } from '../compliance-checks.ts'
import { logAuditEntry, type LogAuditOptions } from '../log-audit-entry.ts'
import { addSpent, type Spent } from '../spent-tokens.ts'
import { truncateText } from '../truncate-text.ts'
import { setupWorkspace } from '../workspace.ts'
import type { AuditedBuildActivities } from './types.ts'

export interface AuditedBuildDeps {
  /** For the agent and the checks. The agent finds its key here. */
  readonly env: NodeJS.ProcessEnv
  readonly agent?: Pick<AgentDeps, 'command' | 'estimate' | 'prices'>
  readonly checks?: Pick<ComplianceDeps, 'passEnv'>
  readonly log?: Pick<LogAuditOptions, 'errorLimitChars' | 'fileName' | 'durable'>
  readonly heartbeatEveryMs?: number
}

const HEARTBEAT_MS = 1_000
/** The answer is for people who look at the workflow; its history need not carry a book. */
const RESPONSE_LIMIT_CHARS = 20_000

/** The activities of `AuditedBuildWorkflow`, ready for a worker. */
export function createAuditedBuildActivities(deps: AuditedBuildDeps): AuditedBuildActivities {
  const heartbeatMs = deps.heartbeatEveryMs ?? HEARTBEAT_MS
  return {
    async setupWorkspace(request) {
      try {
        return await setupWorkspace(request)
      } catch (error) {
        throw error instanceof TypeError ? lasting('INVALID_WORKSPACE', error) : error
      }
    },

    async executeGeminiAgent(request) {
      const result = await beating(heartbeatMs, (signal) =>
        executeGeminiAgent(request, { ...deps.agent, env: deps.env, signal }),
      ).catch((error: unknown) => {
        throw error instanceof TypeError ? lasting('AGENT_BAD_INSTRUCTION', error) : error
      })
      if (!result.ok && result.reason === 'cancelled') throw ended('the agent was ended')
      const spent = await addSpent(request.workingDir, attemptsKey(), spentBy(result))
      if (result.ok)
        return {
          ...withSpent(result.run, spent),
          response: truncateText(result.run.response, RESPONSE_LIMIT_CHARS),
        }
      throw ApplicationFailure.create({
        type: `AGENT_${result.reason.toUpperCase()}`,
        message: result.message,
        nonRetryable: !isRetryable(result.reason),
        details: [spent],
      })
    },

    async runComplianceChecks(request) {
      return await beating(heartbeatMs, async (signal) => {
        try {
          return await runComplianceChecks(request, { ...deps.checks, env: deps.env, signal })
        } catch (error) {
          throw signal.aborted ? ended('the checks were ended') : error
        }
      })
    },

    async logAuditEntry(workingDir, entry, idempotencyKey) {
      try {
        await logAuditEntry(workingDir, entry, {
          ...deps.log,
          idempotencyKey: idempotencyKey ?? attemptsKey(),
        })
      } catch (error) {
        throw error instanceof TypeError ? lasting('INVALID_ENTRY', error) : error
      }
    },
  }
}

/** The same in every attempt at one activity, and in no other. */
function attemptsKey(): string {
  const { activityId, workflowExecution } = Context.current().info
  return `${workflowExecution?.runId ?? ''}/${activityId}`
}

function spentBy(result: AgentResult): Spent {
  const { promptTokens: prompt, completionTokens: completion } = result.ok
    ? result.run
    : { promptTokens: result.tokens.prompt, completionTokens: result.tokens.completion }
  const costUsd = result.ok ? result.run.costUsd : result.costUsd
  return { prompt, completion, ...(costUsd === undefined ? {} : { costUsd }) }
}

/** The run's counts become those of all its attempts; a cost that is not known for all of them is not told. */
function withSpent(run: AgentRun, spent: Spent): AgentRun {
  const { costUsd, ...known } = { ...run, promptTokens: spent.prompt, completionTokens: spent.completion }
  const isCostKnown = costUsd !== undefined && spent.costUsd !== undefined
  return isCostKnown ? { ...known, costUsd: spent.costUsd } : known
}

/** A build that is cancelled ends; one whose worker is shut down goes on elsewhere. */
function ended(message: string): Error {
  const isShutdown = Context.current().cancellationDetails?.workerShutdown === true
  return isShutdown
    ? ApplicationFailure.retryable(`${message}: the worker shuts down`, 'WORKER_SHUTDOWN')
    : new CancelledFailure(message)
}

/** Tells the server that the activity lives, which is also how its cancellation gets here. */
async function beating<T>(everyMs: number, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current()
  context.heartbeat()
  const timer = setInterval(() => context.heartbeat(), everyMs)
  try {
    return await body(context.cancellationSignal)
  } finally {
    clearInterval(timer)
  }
}

const lasting = (type: string, error: Error): ApplicationFailure =>
  ApplicationFailure.create({ type, message: error.message, nonRetryable: true, cause: error })
