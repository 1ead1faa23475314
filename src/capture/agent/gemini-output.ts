import { z } from 'zod'
import type { ProcessResult } from '../process/run-process.ts'

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

export type AgentAnswer =
  | {
      readonly ok: true
      readonly response: string
      /** Empty if the CLI reported no counts. */
      readonly models: readonly ModelTokens[]
      readonly failedToolCalls: number
    }
  | {
      readonly ok: false
      readonly reason: AgentFailureReason
      readonly message: string
      readonly models: readonly ModelTokens[]
    }

const count = z.number().nonnegative().catch(0)
const outputSchema = z.object({
  response: z.string().nullish(),
  error: z.object({ type: z.string().nullish(), message: z.string() }).nullish(),
  stats: z
    .object({
      models: z.record(
        z.string(),
        z.object({
          tokens: z.object({
            prompt: count,
            candidates: count,
            cached: count,
            thoughts: count,
            tool: count,
          }),
        }),
      ),
      tools: z
        .object({
          totalCalls: count,
          totalSuccess: count,
          totalFail: count,
          totalDecisions: z.object({ accept: count, modify: count, auto_accept: count }).nullish(),
        })
        .nullish(),
    })
    .nullish(),
})
const errorSchema = z.object({
  error: z.object({ message: z.string(), code: z.union([z.number(), z.string()]).nullish() }),
})

/**
 * The result of one run of the Gemini CLI (`--output-format json`). The exit code alone is not enough: it is 0 for an
 * empty answer, for refused tools and after SIGTERM, and an HTTP status modulo 256 after an API error.
 */
export function readGeminiOutput(run: ProcessResult): AgentAnswer {
  const output = parseOutput(run.stdout)
  const models = modelTokens(output)
  const fail = (reason: AgentFailureReason, message: string): AgentAnswer => ({
    ok: false,
    reason,
    message,
    models,
  })
  if (run.how === 'timeout')
    return fail('timeout', `the agent did not finish within ${String(Math.round(run.durationMs))} ms`)
  if (run.how === 'cancelled') return fail('cancelled', 'the agent was cancelled')
  if (run.how === 'killed') return fail('killed', `the agent was killed by ${String(run.endedBy)}`)
  if (run.code !== 0) return { ...failureOf(run), models }
  if (output === undefined)
    return fail('no_output', 'the agent exited with code 0 but printed no result: it was asked to stop')
  if (output.error) {
    const reason = output.error.type === 'INVALID_STREAM' ? 'empty_answer' : 'failed'
    return fail(reason, output.error.message)
  }
  const tools = output.stats?.tools
  if (tools && allRefused(tools)) {
    const detail = lastLine(run.stderr, /Error executing tool|denied|not found/i)
    return fail('tools_refused', `all ${String(tools.totalCalls)} tool calls were refused. ${detail}`.trim())
  }
  const response = output.response ?? ''
  if (response.trim() === '') return fail('empty_answer', 'the model answered without any text')
  return { ok: true, response, models, failedToolCalls: tools?.totalFail ?? 0 }
}

type Tools = NonNullable<NonNullable<Output['stats']>['tools']>

/** An accepted call that failed (no such file, a failing test) does not count: that is normal work of an agent. */
function allRefused({ totalCalls, totalSuccess, totalDecisions }: Tools): boolean {
  if (totalCalls === 0 || totalSuccess > 0 || !totalDecisions) return false
  const { accept, modify, auto_accept: autoAccept } = totalDecisions
  return accept + modify + autoAccept === 0
}

function failureOf(run: ProcessResult): { ok: false; reason: AgentFailureReason; message: string } {
  const found = errorSchema.safeParse(lastJson(run.stderr) ?? lastJson(run.stdout))
  const error = found.success ? found.data.error : undefined
  const message = error?.message ?? (lastLine(run.stderr, /\S/) || `exit code ${String(run.code)}`)
  const code = Number(error?.code ?? run.code)
  return { ok: false, reason: reasonOf(code, message), message }
}

function reasonOf(code: number, message: string): AgentFailureReason {
  if (code === 41 || code === 401 || code === 403 || /api key not valid/i.test(message)) return 'auth'
  if (code === 42) return 'empty_instruction'
  if (code === 53) return 'turn_limit'
  if (code === 55) return 'untrusted_workspace'
  if (code === 429) return 'rate_limited'
  if (code === 408) return 'unreachable'
  if (code >= 500) return 'server_error'
  if (code >= 400) return 'bad_request'
  return /fetch failed|ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|socket/i.test(message) ? 'unreachable' : 'failed'
}

type Output = z.infer<typeof outputSchema>

function parseOutput(stdout: string): Output | undefined {
  const parsed = outputSchema.safeParse(lastJson(stdout))
  return parsed.success ? parsed.data : undefined
}

/** The JSON object at the end of a text. The CLI may print warnings before it. */
function lastJson(text: string): unknown {
  const end = text.lastIndexOf('}')
  if (end === -1) return undefined
  for (let start = objectStart(text, 0); start !== -1; start = objectStart(text, start + 1)) {
    try {
      return JSON.parse(text.slice(start, end + 1))
    } catch {
      // Not the start of the object: a warning may also have a brace at the start of a line.
    }
  }
  return undefined
}

/** The next `{` at the start of a line. */
function objectStart(text: string, from: number): number {
  if (from === 0 && text.startsWith('{')) return 0
  const at = text.indexOf('\n{', Math.max(0, from - 1))
  return at === -1 ? -1 : at + 1
}

/** `thoughts` are not part of `candidates` and are billed as output; `tool` tokens are billed as input. */
function modelTokens(output: Output | undefined): ModelTokens[] {
  return Object.entries(output?.stats?.models ?? {}).map(([model, { tokens }]) => ({
    model,
    prompt: tokens.prompt + tokens.tool,
    cached: tokens.cached,
    completion: tokens.candidates + tokens.thoughts,
    thoughts: tokens.thoughts,
  }))
}

/** Occasional lines of the CLI's start-up profiler. */
const CHATTER = /^\[STARTUP\]/

function lastLine(text: string, pattern: RegExp): string {
  const line = text.split('\n').findLast((line) => pattern.test(line) && !CHATTER.test(line))
  // eslint-disable-next-line no-control-regex -- the CLI colours some of its errors
  return (line ?? '').replaceAll(/\u001b\[[0-9;]*m/g, '').trim()
}
