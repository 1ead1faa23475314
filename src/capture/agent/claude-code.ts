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
import { claudeSessionTokens } from './claude-session.ts'
import { parseJsonLines } from './json-lines.ts'

const PERMISSIONS = ['--permission-mode', 'acceptEdits', '--allowedTools', 'Bash'] as const
const PRINT = ['-p', '--output-format', 'stream-json', '--verbose', ...PERMISSIONS] as const

/**
 * Claude Code, `@anthropic-ai/claude-code`. Edits are permitted in the workspace and commands everywhere, as the Gemini
 * CLI does it without a person: writes outside of the workspace are refused.
 */
export const claudeCode: AgentAdapter = {
  title: 'Claude Code',
  command: ['claude'],
  install: 'npm install --global @anthropic-ai/claude-code',
  keyVariable: 'ANTHROPIC_API_KEY',
  contextFile: 'CLAUDE.md',
  args: (model) => [...PRINT, ...(model === undefined ? [] : ['--model', model])],
  env: { DISABLE_AUTOUPDATER: '1' },
  escape: escapeAt,
  read: (run) => Promise.resolve(readClaudeOutput(run)),
  sessionTokens: claudeSessionTokens,
}

const count = z.number().nonnegative().catch(0)
const resultSchema = z.object({
  type: z.literal('result'),
  subtype: z.string().catch(''),
  is_error: z.boolean().catch(false),
  api_error_status: z.number().nullish().catch(undefined),
  api_error: z.string().nullish().catch(undefined),
  result: z.string().nullish().catch(undefined),
  errors: z.array(z.string()).nullish().catch(undefined),
  total_cost_usd: z.number().nonnegative().nullish().catch(undefined),
  permission_denials: z.array(z.object({ tool_name: z.string(), tool_use_id: z.string() })).catch([]),
  modelUsage: z
    .record(
      z.string(),
      z.object({
        inputTokens: count,
        outputTokens: count,
        cacheReadInputTokens: count,
        cacheCreationInputTokens: count,
        thinkingTokens: count,
        costBasis: z.string().nullish().catch(undefined),
      }),
    )
    .catch({}),
})
type Result = z.infer<typeof resultSchema>

const blocksSchema = z.object({
  type: z.enum(['assistant', 'user']),
  message: z.object({
    content: z.array(
      z.object({
        type: z.string(),
        id: z.string().nullish(),
        tool_use_id: z.string().nullish(),
        is_error: z.boolean().nullish(),
      }),
    ),
  }),
})

/** The result of one run, from its stream of events. The last one, `result`, has the counts of the whole run. */
function readClaudeOutput(run: ProcessResult): AgentAnswer {
  const events = parseJsonLines(run.stdout)
  const results = events.map((event) => resultSchema.safeParse(event)).filter(({ success }) => success)
  const result = results.at(-1)?.data
  const reported = { models: modelTokens(result), ...costOf(result) }
  const fail = (reason: AgentFailureReason, message: string): AgentAnswer => ({
    ok: false,
    reason,
    message,
    ...reported,
  })
  const ended = endedRun(run)
  if (ended) return fail(ended.reason, ended.message)
  if (result === undefined) return fail(...failureWithoutResult(run))
  if (result.is_error || run.code !== 0) return fail(reasonOf(result), messageOf(result))
  const tools = toolCalls(events)
  const refused = new Set(result.permission_denials.map(({ tool_use_id: id }) => id))
  if (refused.size > 0 && tools.called.every((id) => refused.has(id))) {
    const names = [...new Set(result.permission_denials.map(({ tool_name: name }) => name))].join(', ')
    return fail('tools_refused', `all ${String(refused.size)} tool calls were refused: ${names}`)
  }
  const response = result.result ?? ''
  if (response.trim() === '') return fail('empty_answer', 'the model answered without any text')
  return {
    ok: true,
    response,
    failedToolCalls: tools.failed.length,
    refusedToolCalls: refused.size,
    ...reported,
  }
}

function toolCalls(events: readonly unknown[]): { called: string[]; failed: string[] } {
  const blocks = events.flatMap((event) => {
    const parsed = blocksSchema.safeParse(event)
    return parsed.success ? parsed.data.message.content : []
  })
  return {
    called: blocks.flatMap(({ type, id }) => (type === 'tool_use' && id ? [id] : [])),
    failed: blocks.flatMap(({ type, is_error, tool_use_id: id }) =>
      type === 'tool_result' && is_error === true && id ? [id] : [],
    ),
  }
}

/** The CLI counts uncached input, written caches and read caches apart from each other; all of it is the prompt. */
const modelTokens = (result: Result | undefined): ModelTokens[] =>
  Object.entries(result?.modelUsage ?? {}).map(([model, usage]) => ({
    model,
    prompt: usage.inputTokens + usage.cacheCreationInputTokens + usage.cacheReadInputTokens,
    cached: usage.cacheReadInputTokens,
    completion: usage.outputTokens,
    thoughts: usage.thinkingTokens,
  }))

/** For a model that the CLI does not know, it makes up a price. */
function costOf(result: Result | undefined): { costUsd?: number } {
  const cost = result?.total_cost_usd
  const models = Object.values(result?.modelUsage ?? {})
  const isGuessed = models.length === 0 || models.some(({ costBasis }) => costBasis === 'unknown')
  return cost === undefined || cost === null || isGuessed ? {} : { costUsd: cost }
}

function failureWithoutResult({ code, stderr }: ProcessResult): [AgentFailureReason, string] {
  const message = stderr.trim().split('\n').at(-1) ?? ''
  if (/only whitespace|must be provided/i.test(message)) return ['empty_instruction', message]
  if (code === 0)
    return ['no_output', 'the agent exited with code 0 but printed no result: it was asked to stop']
  // Codes above 128 are signals: the CLI ends itself after SIGTERM.
  if (code === 143 || code === 130)
    return ['no_output', `the agent printed no result (exit code ${String(code)}): it was asked to stop`]
  return ['failed', message === '' ? `exit code ${String(code)}` : message]
}

const messageOf = ({ result, errors, subtype }: Result): string =>
  result ?? ((errors ?? []).join('; ') || subtype)

function reasonOf(result: Result): AgentFailureReason {
  const message = messageOf(result)
  if (result.subtype === 'error_max_turns' || result.subtype === 'error_max_budget_usd') return 'turn_limit'
  if (/not logged in|invalid api key|\/login/i.test(message)) return 'auth'
  const reason = reasonOfStatus(result.api_error_status ?? 0)
  if (reason !== undefined) return reason
  const isUnreachable =
    result.api_error === 'connection_failed' ||
    /connection (error|refused|reset)|ECONN|ENOTFOUND|ETIMEDOUT|timed out/i.test(message)
  return isUnreachable ? 'unreachable' : 'failed'
}
