import { readdir, realpath } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { byModel, type ModelTokens, type SessionQuery } from './agent-adapter.ts'
import { parseJson, parseJsonLines, readText } from './json-lines.ts'

/**
 * Tokens by model from the Gemini CLI's own record of the conversations in a directory. The CLI writes that record
 * message by message, so it has the counts of runs that could not report them: after an API error, a timeout or a kill.
 * It lacks answers that were in transit, and calls outside the conversation (choosing a model).
 * `undefined` if no conversation is found.
 */
export async function geminiSessionTokens(query: SessionQuery): Promise<ModelTokens[] | undefined> {
  const chats = await chatsOf(query)
  if (chats === undefined) return undefined
  const files = await readdir(chats, { recursive: true }).catch(() => [])
  const sessions = await Promise.all(
    files.filter((name) => name.endsWith('.jsonl')).map((name) => readSession(path.join(chats, name))),
  )
  const { sinceMs, untilMs = Number.POSITIVE_INFINITY } = query
  const asked = sessions.filter(({ startedMs }) => startedMs >= sinceMs && startedMs < untilMs)
  return asked.length === 0 ? undefined : byModel(asked.flatMap(({ answers }) => answers.map(tokensOf)))
}

const registrySchema = z.object({ projects: z.record(z.string(), z.string()) })

/** The directory of the conversations about one working directory. The CLI gives each working directory a short name. */
async function chatsOf({ env, workingDir }: SessionQuery): Promise<string | undefined> {
  const home = env['GEMINI_CLI_HOME'] ?? env['HOME'] ?? os.homedir()
  const gemini = path.join(home, '.gemini')
  const registry = registrySchema.safeParse(parseJson(await readText(path.join(gemini, 'projects.json'))))
  if (!registry.success) return undefined
  const real = await realpath(workingDir).catch(() => workingDir)
  const name = registry.data.projects[real] ?? registry.data.projects[path.resolve(workingDir)]
  return name === undefined ? undefined : path.join(gemini, 'tmp', name, 'chats')
}

const count = z.number().nonnegative().catch(0)
const answerSchema = z.object({
  id: z.string(),
  model: z.string(),
  tokens: z.object({ input: count, output: count, cached: count, thoughts: count, tool: count }),
})
type Answer = z.infer<typeof answerSchema>

interface Session {
  /** `NaN` if the record has no valid head. */
  readonly startedMs: number
  readonly answers: readonly Answer[]
}

async function readSession(file: string): Promise<Session> {
  const lines = parseJsonLines(await readText(file))
  const [head] = lines as [{ startTime?: unknown }?]
  const messages = lines.flatMap((line) => [line, ...rewritten(line)])
  // An answer is written again for each tool that it called: the last one counts.
  const answers = new Map<string, Answer>()
  for (const message of messages) {
    const answer = answerSchema.safeParse(message)
    if (answer.success) answers.set(answer.data.id, answer.data)
  }
  return { startedMs: Date.parse(String(head?.startTime)), answers: [...answers.values()] }
}

/** The messages of a line that rewrites the whole conversation, as compression does. */
function rewritten(line: unknown): unknown[] {
  const { messages } = (line as { $set?: { messages?: unknown } } | undefined)?.$set ?? {}
  return Array.isArray(messages) ? messages : []
}

const tokensOf = ({ model, tokens }: Answer): ModelTokens => ({
  model,
  prompt: tokens.input + tokens.tool,
  cached: tokens.cached,
  completion: tokens.output + tokens.thoughts,
  thoughts: tokens.thoughts,
})
