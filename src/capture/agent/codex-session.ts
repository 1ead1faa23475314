import { readdir, realpath } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { byModel, type ModelTokens, type SessionQuery } from './agent-adapter.ts'
import { parseJsonLines, readText } from './json-lines.ts'

const DAY_MS = 86_400_000

const count = z.number().nonnegative().catch(0)
const headSchema = z.object({
  type: z.literal('session_meta'),
  payload: z.object({ cwd: z.string(), timestamp: z.string() }),
})
const turnSchema = z.object({
  type: z.literal('turn_context'),
  payload: z.object({ model: z.string() }),
})
const countsSchema = z.object({
  type: z.literal('event_msg'),
  payload: z.object({
    type: z.literal('token_count'),
    info: z.object({
      total_token_usage: z.object({
        input_tokens: count,
        cached_input_tokens: count,
        output_tokens: count,
        reasoning_output_tokens: count,
      }),
    }),
  }),
})

/** Tokens by model from Codex CLI's record of the conversations in a directory: see `AgentAdapter.sessionTokens`. */
export async function codexSessionTokens(query: SessionQuery): Promise<ModelTokens[] | undefined> {
  const { env, workingDir, sinceMs, untilMs = Number.POSITIVE_INFINITY } = query
  const home = env['CODEX_HOME'] ?? path.join(env['HOME'] ?? os.homedir(), '.codex')
  const real = await realpath(workingDir).catch(() => path.resolve(workingDir))
  const found: ModelTokens[] = []
  let isFound = false
  for (const directory of daysFrom(sinceMs)) {
    const sessions = path.join(home, 'sessions', directory)
    const files = await readdir(sessions).catch(() => [])
    for (const file of files.filter((name) => name.endsWith('.jsonl'))) {
      const lines = parseJsonLines(await readText(path.join(sessions, file)))
      const head = headSchema.safeParse(lines[0])
      if (!head.success || head.data.payload.cwd !== real) continue
      const startedMs = Date.parse(head.data.payload.timestamp)
      if (!(startedMs >= sinceMs && startedMs < untilMs)) continue
      isFound = true
      found.push(...turnsOf(lines))
    }
  }
  return isFound ? byModel(found) : undefined
}

/** Directories of sessions, one for each day. A day more on each side: the CLI may have another time zone. */
function daysFrom(sinceMs: number): string[] {
  const days: string[] = []
  for (let ms = sinceMs - DAY_MS; ms <= Date.now() + DAY_MS; ms += DAY_MS) {
    days.push(new Date(ms).toISOString().slice(0, 10).replaceAll('-', path.sep))
  }
  return days
}

/** Each record has the sum so far, and may be repeated: what it adds belongs to the model of the turn. */
function turnsOf(lines: readonly unknown[]): ModelTokens[] {
  const turns: ModelTokens[] = []
  let model = 'unknown'
  let before = { prompt: 0, cached: 0, completion: 0, thoughts: 0 }
  for (const line of lines) {
    const turn = turnSchema.safeParse(line)
    if (turn.success) model = turn.data.payload.model
    const counts = countsSchema.safeParse(line)
    if (!counts.success) continue
    const usage = counts.data.payload.info.total_token_usage
    const now = {
      prompt: usage.input_tokens,
      cached: usage.cached_input_tokens,
      completion: usage.output_tokens,
      thoughts: usage.reasoning_output_tokens,
    }
    turns.push({
      model,
      prompt: now.prompt - before.prompt,
      cached: now.cached - before.cached,
      completion: now.completion - before.completion,
      thoughts: now.thoughts - before.thoughts,
    })
    before = now
  }
  // A session without an answer yet still names its model.
  return turns.length === 0 ? [{ model, ...before }] : turns
}
