import { z } from 'zod'
import type { ProcessResult } from '../process/run-process.ts'
import {
  endedRun,
  reasonOfStatus,
  type AgentAdapter,
  type AgentAnswer,
  type AgentFailureReason,
  type ModelTokens,
  type SessionQuery,
} from './agent-adapter.ts'
import { codexSessionTokens } from './codex-session.ts'
import { parseJson, parseJsonLines } from './json-lines.ts'
import { ESTIMATE_ERROR, estimateO200kTokens } from './token-estimate.ts'

const PERMISSIONS = ['-c', 'sandbox_mode="workspace-write"', '-c', 'approval_policy="never"'] as const
const EXEC = ['exec', '--json', '--skip-git-repo-check', ...PERMISSIONS] as const

/**
 * Codex CLI, `@openai/codex`. Its sandbox permits writes in the workspace and in the temporary directory, and no network.
 * A later `-c` wins, so an adapter with further arguments can permit more.
 */
export const codexCli: AgentAdapter = {
  title: 'Codex CLI',
  command: ['codex'],
  install: 'npm install --global @openai/codex',
  keyVariable: 'OPENAI_API_KEY',
  contextFile: 'AGENTS.md',
  args: (model) => [...EXEC, ...(model === undefined ? [] : ['-m', model])],
  env: {},
  estimator: { estimate: estimateO200kTokens, error: ESTIMATE_ERROR },
  read: readCodexOutput,
  sessionTokens: codexSessionTokens,
}

const count = z.number().nonnegative().catch(0)
const eventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('turn.completed'),
    usage: z.object({
      input_tokens: count,
      cached_input_tokens: count,
      output_tokens: count,
      reasoning_output_tokens: count,
    }),
  }),
  z.object({ type: z.literal('turn.failed'), error: z.object({ message: z.string() }) }),
  z.object({ type: z.literal('error'), message: z.string() }),
  z.object({
    type: z.literal('item.completed'),
    item: z.object({ type: z.string(), text: z.string().nullish(), status: z.string().nullish() }),
  }),
])
type Event = z.infer<typeof eventSchema>

/** The result of one run, from its stream of events. Only `turn.completed` has counts. */
async function readCodexOutput(
  run: ProcessResult,
  query: SessionQuery & { readonly model?: string },
): Promise<AgentAnswer> {
  const events = parseJsonLines(run.stdout).flatMap((event): Event[] => {
    const parsed = eventSchema.safeParse(event)
    return parsed.success ? [parsed.data] : []
  })
  const models = await modelTokens(events, query)
  const fail = (reason: AgentFailureReason, message: string): AgentAnswer => ({
    ok: false,
    reason,
    message,
    models,
  })
  const ended = endedRun(run)
  // The CLI waits for an API that it cannot reach for as long as it may.
  if (ended) return fail(ended.reason, [ended.message, lastError(events)].filter(Boolean).join(': '))
  const failed = events.findLast((event) => event.type === 'turn.failed')
  if (failed) return fail(reasonOf(failed.error.message), readable(failed.error.message))
  if (run.code !== 0) return fail(...failureWithoutTurn(run))
  if (!events.some(({ type }) => type === 'turn.completed'))
    return fail('no_output', 'the agent exited with code 0 but printed no result: it was asked to stop')
  const tools = toolCalls(events, run.stderr)
  if (tools.refused.length > 0 && tools.refused.length === tools.called) {
    const detail = tools.refused.at(-1) ?? ''
    return fail('tools_refused', `all ${String(tools.called)} tool calls were refused: ${detail}`)
  }
  const response = responseOf(events)
  if (response.trim() === '') return fail('empty_answer', 'the model answered without any text')
  return { ok: true, response, models, failedToolCalls: tools.failed, refusedToolCalls: tools.refused.length }
}

/** The CLI does not print the model that it chose: it stands in its record of the session. */
async function modelTokens(
  events: readonly Event[],
  query: SessionQuery & { readonly model?: string },
): Promise<ModelTokens[]> {
  const usages = events.flatMap((event) => (event.type === 'turn.completed' ? [event.usage] : []))
  // Each turn reports the sum of the session so far.
  const usage = usages.at(-1)
  if (usage === undefined) return []
  const model = query.model ?? (await codexSessionTokens(query))?.[0]?.model ?? 'unknown'
  return [
    {
      model,
      prompt: usage.input_tokens,
      cached: usage.cached_input_tokens,
      completion: usage.output_tokens,
      thoughts: usage.reasoning_output_tokens,
    },
  ]
}

const responseOf = (events: readonly Event[]): string => {
  const message = events.findLast(
    (event) => event.type === 'item.completed' && event.item.type === 'agent_message',
  )
  return message?.type === 'item.completed' ? (message.item.text ?? '') : ''
}

const TOOLS = new Set(['command_execution', 'file_change', 'mcp_tool_call'])
/** A refused call has no event: the CLI logs it on standard error. */
const REFUSED = /tools::router: error=(.*(?:reject|denied|not allowed).*)/i

function toolCalls(
  events: readonly Event[],
  stderr: string,
): { called: number; failed: number; refused: string[] } {
  const statuses = events.flatMap((event) =>
    event.type === 'item.completed' && TOOLS.has(event.item.type) ? [event.item.status ?? ''] : [],
  )
  const logged = stderr.split('\n').flatMap((line) => REFUSED.exec(line)?.[1] ?? [])
  const declined = statuses.filter((status) => status === 'declined')
  return {
    called: statuses.length + logged.length,
    failed: statuses.filter((status) => status !== 'completed').length + logged.length,
    refused: [...logged, ...declined],
  }
}

const lastError = (events: readonly Event[]): string => {
  const error = events.findLast((event) => event.type === 'error')
  return error?.type === 'error' ? error.message : ''
}

function failureWithoutTurn({ code, stderr }: ProcessResult): [AgentFailureReason, string] {
  const message = stderr.trim()
  if (/No prompt provided/i.test(message)) return ['empty_instruction', 'No prompt provided via stdin.']
  if (/Not inside a trusted directory/i.test(message)) return ['untrusted_workspace', message]
  const configuration = message.indexOf('Error loading config')
  if (configuration !== -1) return ['bad_request', message.slice(configuration)]
  return ['failed', message.split('\n').at(-1) || `exit code ${String(code)}`]
}

const apiErrorSchema = z.object({ error: z.object({ message: z.string(), type: z.string().nullish() }) })

/** Some messages are the JSON of the API's answer. */
function readable(message: string): string {
  const parsed = apiErrorSchema.safeParse(parseJson(message))
  return parsed.success ? parsed.data.error.message : message
}

function reasonOf(message: string): AgentFailureReason {
  if (/Missing environment variable|not logged in|invalid_api_key/i.test(message)) return 'auth'
  const status = /status:? (\d{3})/.exec(message)?.[1]
  const reason = reasonOfStatus(Number(status ?? 0))
  if (reason !== undefined) return reason
  if (/usage limit|rate limit|quota/i.test(message)) return 'rate_limited'
  if (/high demand|at capacity|internal server error/i.test(message)) return 'server_error'
  if (/connection failed|error sending request|stream disconnected|timed? ?out/i.test(message))
    return 'unreachable'
  return /invalid_request_error|context window/i.test(message) ? 'bad_request' : 'failed'
}
