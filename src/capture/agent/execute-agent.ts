import type { Estimator, AgentAdapter } from './agent-adapter.ts'
import type { AgentDeps, AgentEffort, AgentRequest, AgentResult } from './agent-run.ts'
import { adapterOf } from './agents.ts'
import { boundedNames } from './bounded-names.ts'
import { instructionText } from './instruction-text.ts'
import { endOrphan, runMarked } from '../process/orphan.ts'
import type { ProcessResult } from '../process/run-process.ts'
import { countAnswered, countFailed, CUT_SHORT, measured, SPLIT_FIELDS } from './run-counts.ts'
import { estimateTokens } from './token-estimate.ts'
import { filesTouched, sha256, takeSnapshot, writeContext, type Snapshot } from './workspace.ts'

/** `executeAgent` for the Gemini CLI. */
export const executeGeminiAgent = (request: AgentRequest, deps: AgentDeps): Promise<AgentResult> =>
  executeAgent({ ...request, agent: 'gemini-cli' }, deps)

/**
 * Runs the CLI of an agent on a workspace: writes its context file, passes the instruction on standard input, and reads
 * the result. If a killed worker left an agent running in the workspace, that agent is ended first.
 * Throws if the CLI cannot be started or the workspace cannot be read; throws a `TypeError` if no adapter has the
 * agent's name, or if the instruction names a value that is missing.
 */
export async function executeAgent(request: AgentRequest, deps: AgentDeps): Promise<AgentResult> {
  const { workingDir, context } = request
  const adapter = adapterOf(request.agent, deps.adapters)
  const instruction = instructionText(request, adapter)
  await endOrphan(workingDir)
  await writeContext(workingDir, adapter.contextFile, context)
  const before = deps.before ?? (await takeSnapshot(workingDir))
  const query = { env: deps.env, workingDir, sinceMs: Date.now() }
  const result = await runCli(adapter, request, deps, instruction)
  const answer = await adapter.read(result, {
    ...query,
    ...(request.model === undefined ? {} : { model: request.model }),
  })
  const durationMs = Math.round(result.durationMs)
  const effort = await describeEffort(request, { ...deps, before })
  if (!answer.ok) {
    const { reason } = answer
    const isReported = answer.models.length > 0
    const models = isReported ? answer.models : await adapter.sessionTokens(query)
    const counted = models && countFailed(answer, models, isReported || !CUT_SHORT.has(reason))
    const message = reason === 'auth' ? `${answer.message} ${keyHint(adapter)}` : answer.message
    return { ok: false, reason, message, run: { ...effort, ...measured(counted, deps.prices), durationMs } }
  }
  const { response, failedToolCalls, refusedToolCalls } = answer
  const counts = countAnswered(answer, effort, estimatorOf(adapter, deps).estimate)
  const { promptTokens, completionTokens } = counts
  const run = { ...effort, ...measured(counts, deps.prices), promptTokens, completionTokens, durationMs }
  return { ok: true, run: { ...run, response, failedToolCalls, refusedToolCalls } }
}

const keyHint = ({ title, keyVariable }: AgentAdapter): string =>
  `(${title} takes its key from the variable ${keyVariable} of the worker.)`

/** Throws with the program, the directory, the cause and what to do if the CLI cannot be started. */
async function runCli(
  adapter: AgentAdapter,
  request: AgentRequest,
  deps: AgentDeps,
  instruction: string,
): Promise<ProcessResult> {
  const [command, ...args] = deps.command ?? adapter.command
  try {
    return await runMarked(request.workingDir, {
      command,
      args: [...args, ...adapter.args(request.model)],
      cwd: request.workingDir,
      env: { ...deps.env, ...adapter.env },
      input: instruction,
      timeoutMs: request.timeoutMs,
      signal: deps.signal,
    })
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('ENOENT'))) throw error
    const advice = `Is ${adapter.title} installed (${adapter.install}), and on the PATH of the worker?`
    throw new Error(`${error.message}. ${advice}`, { cause: error })
  }
}

/**
 * What is known of one or several attempts without their output: the prompt, and the files that changed since
 * `deps.before`.
 */
export async function describeEffort(
  request: AgentRequest,
  deps: Pick<AgentDeps, 'adapters' | 'estimate' | 'estimateError' | 'now'> & { readonly before: Snapshot },
): Promise<AgentEffort> {
  const adapter = adapterOf(request.agent, deps.adapters)
  const { estimate, error } = estimatorOf(adapter, deps)
  const touched = filesTouched(deps.before, await takeSnapshot(request.workingDir))
  const { template, version, assignment } = request.instruction
  return {
    contextTokens: estimate(request.context),
    instructionTokens: estimate(instructionText(request, adapter)),
    estimatedFields: SPLIT_FIELDS,
    ...(error === undefined ? {} : { estimateError: error }),
    contextFileHash: sha256(request.context),
    instructionVersion: version ?? sha256(template).slice(0, 8),
    ...(assignment === undefined ? {} : { instructionAssignment: assignment }),
    ...(request.model === undefined ? {} : { model: request.model }),
    filesTouched: boundedNames(touched),
    filesTouchedCount: touched.length,
    finishedAt: (deps.now ?? (() => new Date()))().toISOString(),
  }
}

/** The estimator for a run and, if it is known for the models of the agent, its error. */
function estimatorOf(
  { estimator }: AgentAdapter,
  { estimate, estimateError: error }: Pick<AgentDeps, 'estimate' | 'estimateError'>,
): Partial<Estimator> & Pick<Estimator, 'estimate'> {
  if (estimate === undefined) return estimator ?? { estimate: estimateTokens }
  return error === undefined ? { estimate } : { estimate, error }
}
