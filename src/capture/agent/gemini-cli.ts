import { z } from 'zod'
import type { ProcessResult } from '../process/run-process.ts'
import {
  endedRun,
  escapeAt,
  reasonOfStatus,
  type AgentAdapter,
  type AgentAnswer,
  type AgentFailureReason,
  type ModelTokens,
} from './agent-adapter.ts'
import { geminiSessionTokens } from './gemini-session.ts'
import { ESTIMATE_ERROR, estimateTokens } from './token-estimate.ts'

/** The Gemini CLI, `@google/gemini-cli`. It refuses writes outside of the workspace. */
export const geminiCli: AgentAdapter = {
  title: 'Gemini CLI',
  command: ['gemini'],
  install: 'npm install --global @google/gemini-cli',
  keyVariable: 'GEMINI_API_KEY',
  contextFile: 'GEMINI.md',
  args: (model) => ['--yolo', '--output-format', 'json', ...(model === undefined ? [] : ['-m', model])],
  // NO_RELAUNCH: the CLI's launcher ignores SIGTERM. TRUST: the workspace is ours, and there is nobody to ask.
  env: { GEMINI_CLI_NO_RELAUNCH: 'true', GEMINI_CLI_TRUST_WORKSPACE: 'true' },
  estimator: { estimate: estimateTokens, error: ESTIMATE_ERROR },
  escape: escapeAt,
  read: (run) => Promise.resolve(readGeminiOutput(run)),
  sessionTokens: geminiSessionTokens,
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
          totalDecisions: z
            .object({ accept: count, reject: count, modify: count, auto_accept: count })
            .nullish(),
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
function readGeminiOutput(run: ProcessResult): AgentAnswer {
  const output = parseOutput(run.stdout)
  const models = modelTokens(output)
  const fail = (reason: AgentFailureReason, message: string): AgentAnswer => ({
    ok: false,
    reason,
    message,
    models,
  })
  const ended = endedRun(run)
  if (ended) return fail(ended.reason, ended.message)
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
  const refusedToolCalls = tools?.totalDecisions?.reject ?? 0
  return { ok: true, response, models, failedToolCalls: tools?.totalFail ?? 0, refusedToolCalls }
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
  if (code === 41 || /api key not valid/i.test(message)) return 'auth'
  if (code === 42) return 'empty_instruction'
  if (code === 53) return 'turn_limit'
  if (code === 55) return 'untrusted_workspace'
  const reason = reasonOfStatus(code)
  if (reason !== undefined) return reason
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
