import type { ProcessResult } from '../process/run-process.ts'
import type { TokenEstimator } from './token-estimate.ts'

/** Why a run of the agent failed. `isRetryable` says whether another attempt can help. */
export type AgentFailureReason =
  | 'auth'
  | 'untrusted_workspace'
  | 'empty_instruction'
  | 'bad_request'
  | 'rate_limited'
  | 'server_error'
  | 'unreachable'
  | 'turn_limit'
  | 'empty_answer'
  | 'tools_refused'
  | 'timeout'
  | 'cancelled'
  | 'killed'
  | 'no_output'
  | 'failed'

const PERMANENT: ReadonlySet<AgentFailureReason> = new Set([
  'auth',
  'untrusted_workspace',
  'empty_instruction',
  'bad_request',
  'turn_limit',
  'tools_refused',
])

export const isRetryable = (reason: AgentFailureReason): boolean => !PERMANENT.has(reason)

/** Tokens over all calls of all models in one run, as the API counted and bills them. */
export interface AgentTokens {
  /** Input: instruction, context, the CLI's system prompt and tools, and the history that is sent again each turn. */
  readonly prompt: number
  /** The part of `prompt` that came from a cache. */
  readonly cached: number
  /** Output, including thinking. */
  readonly completion: number
  /** The part of `completion` that was thinking. */
  readonly thoughts: number
}

export interface ModelTokens extends AgentTokens {
  readonly model: string
}

interface Reported {
  /** Empty if the CLI reported no counts. */
  readonly models: readonly ModelTokens[]
  /** The cost that the CLI itself reports, in US dollars. Absent if it reports none, or guesses it. */
  readonly costUsd?: number
}

/** What one run of a CLI says. */
export type AgentAnswer = Reported &
  (
    | {
        readonly ok: true
        readonly response: string
        /** Tool calls that failed, refused ones included. */
        readonly failedToolCalls: number
        /** Tool calls that the CLI did not permit. */
        readonly refusedToolCalls: number
      }
    | { readonly ok: false; readonly reason: AgentFailureReason; readonly message: string }
  )

export interface SessionQuery {
  /** The CLI's environment, which determines its home directory. */
  readonly env: NodeJS.ProcessEnv
  readonly workingDir: string
  /** Only sessions that began at this time or later, in milliseconds since 1970 … */
  readonly sinceMs: number
  /** … and before this time. */
  readonly untilMs?: number | undefined
}

/** Estimates tokens of a text for the models of one agent. */
export interface Estimator {
  readonly estimate: TokenEstimator
  /** How far it may be off, as a share. */
  readonly error: number
}

/** What `executeAgent` needs to know about the command line program of one agent. */
export interface AgentAdapter {
  /** For messages, such as `Claude Code`. */
  readonly title: string
  /** Program and leading arguments. */
  readonly command: readonly [string, ...string[]]
  /** What to do if the program is not found. */
  readonly install: string
  /** Name of the variable with the API key. */
  readonly keyVariable: string
  /** The file in the workspace from which the CLI reads its context, such as `GEMINI.md`. */
  readonly contextFile: string
  /** Further arguments. The instruction comes on standard input. `model` absent: the CLI chooses. */
  args(model: string | undefined): string[]
  /** Variables that a run without a person needs, besides those of the worker. */
  readonly env: Readonly<Record<string, string>>
  /** Absent: `estimateTokens`, whose error for these models is not known. */
  readonly estimator?: Estimator
  /** Returns a value of the build as text that the CLI passes on as it is. Absent: the CLI expands nothing. */
  escape?(value: string): string
  /** Reads the result of one run. `query` leads to the CLI's own record of it. */
  read(run: ProcessResult, query: SessionQuery & { readonly model?: string }): Promise<AgentAnswer>
  /**
   * Tokens by model from the CLI's own record of the conversations in a directory, for runs that could not report
   * them: after an API error, a timeout or a kill. It lacks answers that were in transit. `undefined` if no
   * conversation is found.
   */
  sessionTokens(query: SessionQuery): Promise<ModelTokens[] | undefined>
}

/** A run that was ended from outside; `undefined` if the CLI ended by itself. */
export function endedRun(
  run: ProcessResult,
): { readonly reason: AgentFailureReason; readonly message: string } | undefined {
  if (run.how === 'timeout')
    return {
      reason: 'timeout',
      message: `the agent did not finish within ${String(Math.round(run.durationMs))} ms`,
    }
  if (run.how === 'cancelled') return { reason: 'cancelled', message: 'the agent was cancelled' }
  if (run.how === 'killed')
    return { reason: 'killed', message: `the agent was killed by ${String(run.endedBy)}` }
  return undefined
}

/** The meaning of an HTTP status of the model's API; `undefined` for a status that is no error. */
export function reasonOfStatus(status: number): AgentFailureReason | undefined {
  if (status === 401 || status === 403) return 'auth'
  if (status === 408) return 'unreachable'
  if (status === 429) return 'rate_limited'
  if (status >= 500) return 'server_error'
  return status >= 400 ? 'bad_request' : undefined
}

/** Adds up the tokens of several models or runs. */
export function sumTokens(models: readonly AgentTokens[]): AgentTokens {
  const total = (pick: (tokens: AgentTokens) => number): number =>
    models.reduce((sum, tokens) => sum + pick(tokens), 0)
  return {
    prompt: total((tokens) => tokens.prompt),
    cached: total((tokens) => tokens.cached),
    completion: total((tokens) => tokens.completion),
    thoughts: total((tokens) => tokens.thoughts),
  }
}

/** One row for each model. */
export const byModel = (counts: readonly ModelTokens[]): ModelTokens[] =>
  [...Map.groupBy(counts, ({ model }) => model)].map(([model, rows]) => ({ model, ...sumTokens(rows) }))

/** Replaces `@` by `\@`, as CLIs want it that expand `@name` to the content of that file. */
export const escapeAt = (value: string): string => value.replaceAll(/(?<!\\)@/g, '\\@')
