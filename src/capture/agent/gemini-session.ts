import { readdir, readFile, realpath } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import type { ModelTokens } from './gemini-output.ts'

export interface SessionQuery {
  /** The CLI's environment, which says where its home is. */
  readonly env: NodeJS.ProcessEnv
  readonly workingDir: string
  /** Sessions that began from here on, in milliseconds since 1970, … */
  readonly sinceMs: number
  /** … and before this. */
  readonly untilMs?: number | undefined
}

/**
 * What the Gemini CLI has noted in its own record of the conversations in a directory. It writes that record message
 * by message, so it tells what was paid for where the run itself could not: after a refusal by the API, a timeout, a
 * kill. An answer that was still on its way is not in it, nor is a call beside the conversation (choosing a model).
 * `undefined` where no such conversation was begun, or none that we can find.
 */
export async function sessionTokens(query: SessionQuery): Promise<ModelTokens[] | undefined> {
  const chats = await chatsOf(query)
  if (chats === undefined) return undefined
  const files = await readdir(chats, { recursive: true }).catch(() => [])
  const sessions = await Promise.all(
    files.filter((name) => name.endsWith('.jsonl')).map((name) => readSession(path.join(chats, name))),
  )
  const { sinceMs, untilMs = Number.POSITIVE_INFINITY } = query
  const asked = sessions.filter(({ startedMs }) => startedMs >= sinceMs && startedMs < untilMs)
  return asked.length === 0 ? undefined : addUp(asked.flatMap(({ answers }) => answers))
}

const registrySchema = z.object({ projects: z.record(z.string(), z.string()) })

/** Where the conversations of one directory stand: the CLI gives each directory a short name. */
async function chatsOf({ env, workingDir }: SessionQuery): Promise<string | undefined> {
  const home = env['GEMINI_CLI_HOME'] ?? env['HOME'] ?? os.homedir()
  const gemini = path.join(home, '.gemini')
  const registry = registrySchema.safeParse(await readJson(path.join(gemini, 'projects.json')))
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
  /** Not a number where the record has no beginning. */
  readonly startedMs: number
  readonly answers: readonly Answer[]
}

async function readSession(file: string): Promise<Session> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').map(parseJson)
  const [head] = lines as [{ startTime?: unknown }?]
  const messages = lines.flatMap((line) => [line, ...rewritten(line)])
  // An answer is noted again with each tool it called.
  const answers = new Map<string, Answer>()
  for (const message of messages) {
    const answer = answerSchema.safeParse(message)
    if (answer.success) answers.set(answer.data.id, answer.data)
  }
  return { startedMs: Date.parse(String(head?.startTime)), answers: [...answers.values()] }
}

/** The messages of a line that puts the whole conversation down anew, as compressing it does. */
function rewritten(line: unknown): unknown[] {
  const { messages } = (line as { $set?: { messages?: unknown } } | undefined)?.$set ?? {}
  return Array.isArray(messages) ? messages : []
}

function addUp(answers: readonly Answer[]): ModelTokens[] {
  const models = new Map<string, ModelTokens>()
  for (const { model, tokens } of answers) {
    const { input, output, cached, thoughts, tool } = tokens
    const sum = models.get(model) ?? { model, prompt: 0, cached: 0, completion: 0, thoughts: 0 }
    models.set(model, {
      model,
      prompt: sum.prompt + input + tool,
      cached: sum.cached + cached,
      completion: sum.completion + output + thoughts,
      thoughts: sum.thoughts + thoughts,
    })
  }
  return [...models.values()]
}

const readJson = async (file: string): Promise<unknown> =>
  parseJson(await readFile(file, 'utf8').catch(() => ''))

/** `undefined` for a line that a killed CLI left unfinished. */
function parseJson(text: string): unknown {
  try {
    return (JSON.parse(text) as unknown) ?? undefined
  } catch {
    return undefined
  }
}
