import { microUsd, type Price } from '../../entry/prices.ts'
import { boundedNames } from './bounded-names.ts'
import type { EstimatedField } from '../trace/entry.ts'
import {
  sumTokens,
  type AgentAdapter,
  type AgentAnswer,
  type AgentFailureReason,
  type Estimator,
  type ModelTokens,
} from './agent-adapter.ts'
import { adapterOf, type AgentName } from './agents.ts'
import { endOrphan, runMarked } from '../process/orphan.ts'
import type { ProcessResult } from '../process/run-process.ts'
import { estimateTokens, type TokenEstimator } from './token-estimate.ts'
import { filesTouched, sha256, takeSnapshot, writeContext, type Snapshot } from './workspace.ts'

/** A prompt template: `{{name}}` is replaced by a value of the build. */
export interface Instruction {
  readonly template: string
  /** The prompt version in the audits. Default: the first 8 hex digits of the template's SHA-256. */
  readonly version?: string
  /** The draw that chose this version at random, as `choosePromptVersion` returns it. Default: not at random. */
  readonly assignment?: string
}

export interface AgentRequest {
  /** Default `gemini-cli`. A further name is that of an adapter of your own, in `AgentDeps.adapters`. */
  readonly agent?: AgentName | (string & {})
  readonly workingDir: string
  readonly instruction: Instruction
  readonly values: Readonly<Record<string, string>>
  /**
   * Content of GEMINI.md (of CLAUDE.md for Claude Code, of AGENTS.md for Codex CLI). The file is written again before
   * the run, because an agent may have changed it.
   */
  readonly context: string
  /** Default: the CLI chooses, which takes the Gemini CLI an extra routing call. */
  readonly model?: string
  readonly timeoutMs: number
}

export interface AgentDeps {
  readonly env: NodeJS.ProcessEnv
  /** Program and leading arguments of the agent's CLI. Default: that of its adapter: `gemini`, `claude` or `codex`. */
  readonly command?: readonly [string, ...string[]]
  /** Adapters for further agents, or in place of ours, by the name of the agent. */
  readonly adapters?: Readonly<Record<string, AgentAdapter>>
  /** Default: that of the adapter, else `estimateTokens`. */
  readonly estimate?: TokenEstimator
  /** How far `estimate` may be off, as a share: 0 for the tokenizer of the model. Default: unknown. */
  readonly estimateError?: number
  /**
   * By model, for agents that do not report the cost themselves. It is set only if every model that was used has a
   * price.
   */
  readonly prices?: Readonly<Record<string, Price>>
  readonly signal?: AbortSignal
  /** Files that changed since this snapshot count as touched. Default: since the start of the run. */
  readonly before?: Snapshot
  readonly now?: () => Date
}

/** What is known of every run of the agent, including failed ones. */
export interface AgentEffort {
  /** Absent if unknown. */
  readonly promptTokens?: number
  /** The part of the prompt that came from a cache. Absent if it was not reported. */
  readonly cachedTokens?: number
  readonly completionTokens?: number
  /** Estimated tokens of the context file. The rest of the prompt is the instruction, the CLI's own text and the history. */
  readonly contextTokens: number
  /** Estimated. */
  readonly instructionTokens: number
  readonly estimatedFields: readonly EstimatedField[]
  /**
   * How far the estimator may be off on the texts that it counted, as a share. Text that only the CLI knows is not among
   * them. Absent if the estimator's error is not known.
   */
  readonly estimateError?: number
  readonly contextFileHash: string
  readonly instructionVersion: string
  /** Absent if the version was not assigned at random. */
  readonly instructionAssignment?: string
  /** The model with the most tokens. */
  readonly model?: string
  /** Absent unless all of it is known. */
  readonly costUsd?: number
  /** Sorted. If the list is cut, its last item says how many are left out. */
  readonly filesTouched: readonly string[]
  /** The length of the uncut list. */
  readonly filesTouchedCount: number
  readonly durationMs?: number
  /** ISO 8601 */
  readonly finishedAt: string
}

/** A successful run of the agent. */
export interface AgentRun extends AgentEffort {
  readonly response: string
  readonly promptTokens: number
  readonly completionTokens: number
  /** Tool calls that failed, refused ones included. A failing test or a missing file is normal work of an agent. */
  readonly failedToolCalls: number
  /** Tool calls that the CLI did not permit. If all of them were refused, the run is a failure. */
  readonly refusedToolCalls: number
  readonly durationMs: number
}

export type AgentResult =
  | { readonly ok: true; readonly run: AgentRun }
  | {
      readonly ok: false
      readonly reason: AgentFailureReason
      readonly message: string
      readonly run: AgentEffort
    }

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

/**
 * The prompt for the CLI. Some CLIs replace `@name` by the content of that file. In values of the build (a log, a
 * specification) every `@` is escaped for them, so that only the template can include files.
 */
function instructionText({ instruction, values }: AgentRequest, { escape }: AgentAdapter): string {
  const escaped = Object.entries(values).map(([name, value]) => [name, escape?.(value) ?? value])
  return fillIn(instruction.template, Object.fromEntries(escaped) as Record<string, string>)
}

/** Replaces every `{{name}}`. Throws a `TypeError` for a name without a value: the model would see the placeholder. */
export function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new TypeError(`the instruction contains {{${name}}}, which has no value`)
    return value
  })
}

const SPLIT_FIELDS = ['context_token_count', 'instruction_token_count'] as const
const TOTAL_FIELDS = ['prompt_token_count', 'completion_token_count', 'total_token_cost'] as const

/**
 * The names of the counts that are estimates. `isWhole`: the run's own counts are exact. `hasCached`: the cached part of
 * the prompt is among them.
 */
export const estimatedFields = (isWhole: boolean, hasCached: boolean): readonly EstimatedField[] =>
  isWhole
    ? SPLIT_FIELDS
    : [...SPLIT_FIELDS, ...TOTAL_FIELDS, ...(hasCached ? (['cached_token_count'] as const) : [])]

interface Counted {
  readonly promptTokens: number
  /** Absent if the counts are estimates. */
  readonly cachedTokens?: number
  readonly completionTokens: number
  readonly models: readonly ModelTokens[]
  /** As the CLI reported it. */
  readonly costUsd?: number | undefined
  /** Whether the counts are exact: everything that was billed. */
  readonly isWhole: boolean
}

function countAnswered(
  answer: AgentAnswer & { ok: true },
  effort: AgentEffort,
  estimate: TokenEstimator,
): Counted {
  const { models, costUsd } = answer
  const { prompt, cached, completion } = sumTokens(models)
  if (prompt + completion > 0) {
    const counts = { promptTokens: prompt, cachedTokens: cached, completionTokens: completion }
    return { models, costUsd, ...counts, isWhole: true }
  }
  return {
    models,
    promptTokens: effort.contextTokens + effort.instructionTokens,
    completionTokens: estimate(answer.response),
    isWhole: false,
  }
}

/** Ended from outside: an answer that was in transit is not counted. */
const CUT_SHORT: ReadonlySet<AgentFailureReason> = new Set(['timeout', 'cancelled', 'killed', 'no_output'])

function countFailed({ costUsd }: AgentAnswer, models: readonly ModelTokens[], isWhole: boolean): Counted {
  const { prompt, cached, completion } = sumTokens(models)
  return {
    models,
    costUsd,
    promptTokens: prompt,
    cachedTokens: cached,
    completionTokens: completion,
    isWhole,
  }
}

type Measured = Pick<
  AgentEffort,
  'promptTokens' | 'cachedTokens' | 'completionTokens' | 'estimatedFields' | 'model' | 'costUsd'
>

/** The counts of a run. The cost is set only if the counts are exact; what the CLI reports comes before the prices. */
function measured(counted: Counted | undefined, prices: AgentDeps['prices']): Partial<Measured> {
  if (counted === undefined) return {}
  const { models, promptTokens, cachedTokens, completionTokens, isWhole } = counted
  const model = models.toSorted((a, b) => b.prompt + b.completion - a.prompt - a.completion)[0]?.model
  const cost = isWhole ? (counted.costUsd ?? costOf(models, prices)) : undefined
  return {
    promptTokens,
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    completionTokens,
    estimatedFields: estimatedFields(isWhole, cachedTokens !== undefined),
    ...(model === undefined ? {} : { model }),
    ...(cost === undefined ? {} : { costUsd: cost }),
  }
}

/** `undefined` if a model has no price: a partial sum would be mistaken for the whole cost. */
function costOf(models: readonly ModelTokens[], prices: AgentDeps['prices']): number | undefined {
  if (prices === undefined || models.length === 0) return undefined
  let sum = 0
  for (const { model, ...tokens } of models) {
    const price = prices[model]
    if (price === undefined) return undefined
    sum += microUsd(tokens, price)
  }
  return sum / 1e6
}
