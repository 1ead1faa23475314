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

/** The wording of an instruction: `{{name}}` stands for what one build puts in. */
export interface Instruction {
  readonly template: string
  /** What the audits call this wording. Default: the first 8 hex digits of the template's SHA-256. */
  readonly version?: string
}

export interface AgentRequest {
  readonly workingDir: string
  readonly instruction: Instruction
  readonly values: Readonly<Record<string, string>>
  /** Content of GEMINI.md, which is written anew: an agent may have changed it. */
  readonly context: string
  /** Default: the CLI's own choice, which costs a routing call. */
  readonly model?: string
  readonly timeoutMs: number
}

/** US dollars for a million tokens. */
export interface Price {
  readonly input: number
  /** For input that came from a cache. Default: as `input`. */
  readonly cached?: number
  readonly output: number
}

export interface AgentDeps {
  readonly env: NodeJS.ProcessEnv
  /** Program and leading arguments of the Gemini CLI. Default `['gemini']`. */
  readonly command?: readonly [string, ...string[]]
  readonly estimate?: TokenEstimator
  /** By model; without a price for each model that was used, no cost is told. */
  readonly prices?: Readonly<Record<string, Price>>
  readonly signal?: AbortSignal
  /** What counts as touched has changed since then. Default: since the run began. */
  readonly before?: Snapshot
  readonly now?: () => Date
}

/** What every run of the agent tells, one that failed as well. */
export interface AgentEffort {
  /** Absent where nothing tells them. */
  readonly promptTokens?: number
  readonly completionTokens?: number
  /** Estimated sizes of GEMINI.md and of the instruction; the rest of the prompt is the CLI's own and the history. */
  readonly contextTokens: number
  readonly instructionTokens: number
  readonly estimatedFields: readonly EstimatedField[]
  readonly contextFileHash: string
  readonly instructionVersion: string
  /** The model that took most of the tokens. */
  readonly model?: string
  /** Absent where a part of it is not known. */
  readonly costUsd?: number
  /** Sorted. The last of very many is a marker that says how many are left out. */
  readonly filesTouched: readonly string[]
  /** All of them. */
  readonly filesTouchedCount: number
  readonly durationMs?: number
  /** ISO 8601 */
  readonly finishedAt: string
}

/** One run of the agent that came to its end. */
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
 * Runs the Gemini CLI on a workspace: writes GEMINI.md, gives the instruction on standard input, and reads what came
 * of it. An agent that an earlier, killed worker left in the workspace is ended first.
 * Throws where the CLI cannot be started or the workspace not be read.
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
    // NO_RELAUNCH: its launcher ignores SIGTERM. TRUST: the workspace is ours, and nobody is there to ask.
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
    const isTold = answer.models.length > 0
    const models = isTold
      ? answer.models
      : await sessionTokens({ env: deps.env, workingDir, sinceMs: startedMs })
    const counted = models && countFailed(models, isTold || !CUT_SHORT.has(reason))
    return { ok: false, reason, message, run: { ...effort, ...measured(counted, deps.prices), durationMs } }
  }
  const { response, failedToolCalls } = answer
  const counts = countAnswered(answer, effort, deps.estimate ?? estimateTokens)
  const { promptTokens, completionTokens } = counts
  const run = { ...effort, ...measured(counts, deps.prices), promptTokens, completionTokens, durationMs }
  return { ok: true, run: { ...run, response, failedToolCalls } }
}

/**
 * What can be told of a run, or of all attempts at one, without its output: what went in, and what has changed in the
 * workspace since `deps.before`.
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
 * What the CLI is told. It would take an `@name` in what a build puts in (a log, a specification) for a file to read,
 * and rewrite the text around it: only the template may ask for files.
 */
function instructionText({ instruction, values }: AgentRequest): string {
  const escaped = Object.entries(values).map(([name, value]) => [name, value.replaceAll(/(?<!\\)@/g, '\\@')])
  return fillIn(instruction.template, Object.fromEntries(escaped) as Record<string, string>)
}

/** Replaces every `{{name}}`; throws for a name without a value, which would reach the model as it stands. */
export function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new TypeError(`the instruction names {{${name}}}, which has no value`)
    return value
  })
}

const SPLIT_FIELDS = ['context_token_count', 'instruction_token_count'] as const
const ALL_FIELDS = [
  ...SPLIT_FIELDS,
  'prompt_token_count',
  'completion_token_count',
  'total_token_cost',
] as const

/** Which counts are estimates, where those of the run are what was paid (`isWhole`) or are not. */
export const estimatedFields = (isWhole: boolean): readonly EstimatedField[] =>
  isWhole ? SPLIT_FIELDS : ALL_FIELDS

interface Counted {
  readonly promptTokens: number
  readonly completionTokens: number
  readonly models: readonly ModelTokens[]
  /** Whether this is all that was paid. */
  readonly isWhole: boolean
}

function countAnswered(
  answer: AgentAnswer & { ok: true },
  effort: AgentEffort,
  estimate: TokenEstimator,
): Counted {
  const { models } = answer
  const { prompt, completion } = sumTokens(models)
  if (prompt + completion > 0) {
    return { models, promptTokens: prompt, completionTokens: completion, isWhole: true }
  }
  return {
    models,
    promptTokens: effort.contextTokens + effort.instructionTokens,
    completionTokens: estimate(answer.response),
    isWhole: false,
  }
}

/** Ended from outside, so that an answer may have been on its way. */
const CUT_SHORT: ReadonlySet<AgentFailureReason> = new Set(['timeout', 'cancelled', 'killed', 'no_output'])

function countFailed(models: readonly ModelTokens[], isWhole: boolean): Counted {
  const { prompt, completion } = sumTokens(models)
  return { models, promptTokens: prompt, completionTokens: completion, isWhole }
}

type Measured = Pick<
  AgentEffort,
  'promptTokens' | 'completionTokens' | 'estimatedFields' | 'model' | 'costUsd'
>

/** The counts as a run tells them; a cost is told only where the counts are what was paid. */
function measured(counted: Counted | undefined, prices: AgentDeps['prices']): Partial<Measured> {
  if (counted === undefined) return {}
  const { models, promptTokens, completionTokens, isWhole } = counted
  const model = models.toSorted((a, b) => b.prompt + b.completion - a.prompt - a.completion)[0]?.model
  const cost = prices === undefined || !isWhole ? undefined : costUsd(models, prices)
  return {
    promptTokens,
    completionTokens,
    estimatedFields: estimatedFields(isWhole),
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

/** `undefined` where a model has no price: a part of the cost would pass for the whole. */
function costUsd(
  models: readonly ModelTokens[],
  prices: Readonly<Record<string, Price>>,
): number | undefined {
  let microUsd = 0
  for (const { model, prompt, cached, completion } of models) {
    const price = prices[model]
    if (price === undefined) return undefined
    microUsd +=
      (prompt - cached) * price.input + cached * (price.cached ?? price.input) + completion * price.output
  }
  return microUsd / 1e6
}
