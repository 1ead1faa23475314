import type { EstimatedField } from './entry.ts'
import {
  readGeminiOutput,
  type AgentAnswer,
  type AgentFailureReason,
  type AgentTokens,
  type ModelTokens,
} from './gemini-output.ts'
import { endOrphan, runMarked } from './orphan.ts'
import { estimateTokens, type TokenEstimator } from './token-estimate.ts'
import { filesTouched, sha256, takeSnapshot, writeContext } from './workspace.ts'

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
  readonly now?: () => Date
}

/** One run of the agent that came to its end. */
export interface AgentRun {
  readonly response: string
  readonly promptTokens: number
  readonly completionTokens: number
  /** Estimated sizes of GEMINI.md and of the instruction; the rest of the prompt is the CLI's own and the history. */
  readonly contextTokens: number
  readonly instructionTokens: number
  readonly estimatedFields: readonly EstimatedField[]
  readonly contextFileHash: string
  readonly instructionVersion: string
  /** The model that took most of the tokens. */
  readonly model?: string
  readonly costUsd?: number
  readonly filesTouched: readonly string[]
  readonly failedToolCalls: number
  readonly durationMs: number
  /** ISO 8601 */
  readonly finishedAt: string
}

export type AgentResult =
  | { readonly ok: true; readonly run: AgentRun }
  | {
      readonly ok: false
      readonly reason: AgentFailureReason
      readonly message: string
      readonly tokens: AgentTokens
      /** Where no tokens were spent: 0. */
      readonly costUsd?: number
    }

/**
 * Runs the Gemini CLI on a workspace: writes GEMINI.md, gives the instruction on standard input, and reads what came
 * of it. An agent that an earlier, killed worker left in the workspace is ended first.
 * Throws where the CLI cannot be started or the workspace not be read.
 */
export async function executeGeminiAgent(request: AgentRequest, deps: AgentDeps): Promise<AgentResult> {
  const { workingDir, context } = request
  const instruction = fillIn(request.instruction.template, request.values)
  await endOrphan(workingDir)
  await writeContext(workingDir, context)
  const before = await takeSnapshot(workingDir)
  const [command, ...args] = deps.command ?? ['gemini']
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
  const cost = deps.prices === undefined ? undefined : costUsd(answer.models, deps.prices)
  if (!answer.ok) {
    const { reason, message, models } = answer
    return {
      ok: false,
      reason,
      message,
      tokens: sumTokens(models),
      ...(cost === undefined ? {} : { costUsd: cost }),
    }
  }
  const counted = countTokens(answer, context, instruction, deps.estimate ?? estimateTokens)
  const model = answer.models.toSorted((a, b) => b.prompt + b.completion - a.prompt - a.completion)[0]?.model
  return {
    ok: true,
    run: {
      response: answer.response,
      ...counted,
      contextFileHash: sha256(context),
      instructionVersion: request.instruction.version ?? sha256(request.instruction.template).slice(0, 8),
      ...(model === undefined ? {} : { model }),
      ...(cost === undefined ? {} : { costUsd: cost }),
      filesTouched: filesTouched(before, await takeSnapshot(workingDir)),
      failedToolCalls: answer.failedToolCalls,
      durationMs: Math.round(result.durationMs),
      finishedAt: (deps.now ?? (() => new Date()))().toISOString(),
    },
  }
}

/** Replaces every `{{name}}`; throws for a name without a value, which would reach the model as it stands. */
export function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new TypeError(`the instruction names {{${name}}}, which has no value`)
    return value
  })
}

type Counted = Pick<
  AgentRun,
  'promptTokens' | 'completionTokens' | 'contextTokens' | 'instructionTokens' | 'estimatedFields'
>

function countTokens(
  answer: AgentAnswer & { ok: true },
  context: string,
  instruction: string,
  estimate: TokenEstimator,
): Counted {
  const contextTokens = estimate(context)
  const instructionTokens = estimate(instruction)
  const split = { contextTokens, instructionTokens }
  const splitFields = ['context_token_count', 'instruction_token_count'] as const
  const { prompt, completion } = sumTokens(answer.models)
  if (prompt + completion > 0) {
    return { ...split, promptTokens: prompt, completionTokens: completion, estimatedFields: splitFields }
  }
  return {
    ...split,
    promptTokens: contextTokens + instructionTokens,
    completionTokens: estimate(answer.response),
    estimatedFields: [...splitFields, 'prompt_token_count', 'completion_token_count', 'total_token_cost'],
  }
}

function sumTokens(models: readonly ModelTokens[]): AgentTokens {
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
