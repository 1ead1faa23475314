import { microUsd, type Price } from '../../entry/prices.ts'
import { boundedNames } from './bounded-names.ts'
import type { EstimatedField } from '../trace/entry.ts'
import {
  readGeminiOutput,
  type AgentAnswer,
  type AgentFailureReason,
  type AgentTokens,
  type ModelTokens,
} from './gemini-output.ts'
import { sessionTokens } from './gemini-session.ts'
import { endOrphan, runMarked } from '../process/orphan.ts'
import { estimateTokens, type TokenEstimator } from './token-estimate.ts'
import { filesTouched, sha256, takeSnapshot, writeContext, type Snapshot } from './workspace.ts'

/** A prompt template: `{{name}}` is replaced by a value of the build. */
export interface Instruction {
  readonly template: string
  /** The prompt version in the audits. Default: the first 8 hex digits of the template's SHA-256. */
  readonly version?: string
}

export interface AgentRequest {
  readonly workingDir: string
  readonly instruction: Instruction
  readonly values: Readonly<Record<string, string>>
  /** Content of GEMINI.md. It is written again before the run, because an agent may have changed it. */
  readonly context: string
  /** Default: the CLI chooses, which takes an extra routing call. */
  readonly model?: string
  readonly timeoutMs: number
}

export interface AgentDeps {
  readonly env: NodeJS.ProcessEnv
  /** Program and leading arguments of the Gemini CLI. Default `['gemini']`. */
  readonly command?: readonly [string, ...string[]]
  readonly estimate?: TokenEstimator
  /** By model. The cost is set only if every model that was used has a price. */
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
  /** Estimated tokens of GEMINI.md. The rest of the prompt is the instruction, the CLI's own text and the history. */
  readonly contextTokens: number
  /** Estimated. */
  readonly instructionTokens: number
  readonly estimatedFields: readonly EstimatedField[]
  readonly contextFileHash: string
  readonly instructionVersion: string
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
  readonly failedToolCalls: number
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

/**
 * Runs the Gemini CLI on a workspace: writes GEMINI.md, passes the instruction on standard input, and reads the result.
 * If a killed worker left an agent running in the workspace, that agent is ended first.
 * Throws if the CLI cannot be started or the workspace cannot be read; throws a `TypeError` if the instruction names a
 * value that is missing.
 */
export async function executeGeminiAgent(request: AgentRequest, deps: AgentDeps): Promise<AgentResult> {
  const { workingDir, context } = request
  const instruction = instructionText(request)
  await endOrphan(workingDir)
  await writeContext(workingDir, context)
  const before = deps.before ?? (await takeSnapshot(workingDir))
  const [command, ...args] = deps.command ?? ['gemini']
  const startedMs = Date.now()
  const result = await runMarked(workingDir, {
    command,
    args: [...args, '--yolo', '--output-format', 'json', ...(request.model ? ['-m', request.model] : [])],
    cwd: workingDir,
    // NO_RELAUNCH: the CLI's launcher ignores SIGTERM. TRUST: the workspace is ours, and there is nobody to ask.
    env: { ...deps.env, GEMINI_CLI_NO_RELAUNCH: 'true', GEMINI_CLI_TRUST_WORKSPACE: 'true' },
    input: instruction,
    timeoutMs: request.timeoutMs,
    signal: deps.signal,
  })
  const answer = readGeminiOutput(result)
  const durationMs = Math.round(result.durationMs)
  const effort = await describeEffort(request, { ...deps, before })
  if (!answer.ok) {
    const { reason, message } = answer
    const isReported = answer.models.length > 0
    const models = isReported
      ? answer.models
      : await sessionTokens({ env: deps.env, workingDir, sinceMs: startedMs })
    const counted = models && countFailed(models, isReported || !CUT_SHORT.has(reason))
    return { ok: false, reason, message, run: { ...effort, ...measured(counted, deps.prices), durationMs } }
  }
  const { response, failedToolCalls } = answer
  const counts = countAnswered(answer, effort, deps.estimate ?? estimateTokens)
  const { promptTokens, completionTokens } = counts
  const run = { ...effort, ...measured(counts, deps.prices), promptTokens, completionTokens, durationMs }
  return { ok: true, run: { ...run, response, failedToolCalls } }
}

/**
 * What is known of one or several attempts without their output: the prompt, and the files that changed since
 * `deps.before`.
 */
export async function describeEffort(
  request: AgentRequest,
  deps: Pick<AgentDeps, 'estimate' | 'now'> & { readonly before: Snapshot },
): Promise<AgentEffort> {
  const estimate = deps.estimate ?? estimateTokens
  const touched = filesTouched(deps.before, await takeSnapshot(request.workingDir))
  const { template, version } = request.instruction
  return {
    contextTokens: estimate(request.context),
    instructionTokens: estimate(instructionText(request)),
    estimatedFields: SPLIT_FIELDS,
    contextFileHash: sha256(request.context),
    instructionVersion: version ?? sha256(template).slice(0, 8),
    ...(request.model === undefined ? {} : { model: request.model }),
    filesTouched: boundedNames(touched),
    filesTouchedCount: touched.length,
    finishedAt: (deps.now ?? (() => new Date()))().toISOString(),
  }
}

/**
 * The prompt for the CLI. The CLI replaces `@name` by the content of that file. In values of the build (a log, a
 * specification) every `@` is escaped, so that only the template can include files.
 */
function instructionText({ instruction, values }: AgentRequest): string {
  const escaped = Object.entries(values).map(([name, value]) => [name, value.replaceAll(/(?<!\\)@/g, '\\@')])
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
  /** Whether the counts are exact: everything that was billed. */
  readonly isWhole: boolean
}

function countAnswered(
  answer: AgentAnswer & { ok: true },
  effort: AgentEffort,
  estimate: TokenEstimator,
): Counted {
  const { models } = answer
  const { prompt, cached, completion } = sumTokens(models)
  if (prompt + completion > 0) {
    const counts = { promptTokens: prompt, cachedTokens: cached, completionTokens: completion }
    return { models, ...counts, isWhole: true }
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

function countFailed(models: readonly ModelTokens[], isWhole: boolean): Counted {
  const { prompt, cached, completion } = sumTokens(models)
  return { models, promptTokens: prompt, cachedTokens: cached, completionTokens: completion, isWhole }
}

type Measured = Pick<
  AgentEffort,
  'promptTokens' | 'cachedTokens' | 'completionTokens' | 'estimatedFields' | 'model' | 'costUsd'
>

/** The counts of a run. The cost is set only if the counts are exact. */
function measured(counted: Counted | undefined, prices: AgentDeps['prices']): Partial<Measured> {
  if (counted === undefined) return {}
  const { models, promptTokens, cachedTokens, completionTokens, isWhole } = counted
  const model = models.toSorted((a, b) => b.prompt + b.completion - a.prompt - a.completion)[0]?.model
  const cost = prices === undefined || !isWhole ? undefined : costUsd(models, prices)
  return {
    promptTokens,
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    completionTokens,
    estimatedFields: estimatedFields(isWhole, cachedTokens !== undefined),
    ...(model === undefined ? {} : { model }),
    ...(cost === undefined ? {} : { costUsd: cost }),
  }
}

export function sumTokens(models: readonly ModelTokens[]): AgentTokens {
  const total = (pick: (tokens: ModelTokens) => number): number =>
    models.reduce((sum, tokens) => sum + pick(tokens), 0)
  return {
    prompt: total((tokens) => tokens.prompt),
    cached: total((tokens) => tokens.cached),
    completion: total((tokens) => tokens.completion),
    thoughts: total((tokens) => tokens.thoughts),
  }
}

/** `undefined` if a model has no price: a partial sum would be mistaken for the whole cost. */
function costUsd(
  models: readonly ModelTokens[],
  prices: Readonly<Record<string, Price>>,
): number | undefined {
  let sum = 0
  for (const { model, ...tokens } of models) {
    const price = prices[model]
    if (price === undefined) return undefined
    sum += microUsd(tokens, price)
  }
  return sum / 1e6
}
