import { readdir, realpath } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { byModel, type ModelTokens, type SessionQuery } from './agent-adapter.ts'
import { parseJsonLines, readText } from './json-lines.ts'

const count = z.number().nonnegative().catch(0)
const lineSchema = z.object({ cwd: z.string().nullish(), timestamp: z.string().nullish() })
const answerSchema = z.object({
  type: z.literal('assistant'),
  message: z.object({
    id: z.string(),
    model: z.string(),
    usage: z.object({
      input_tokens: count,
      cache_creation_input_tokens: count,
      cache_read_input_tokens: count,
      output_tokens: count,
    }),
  }),
})

/** Longer names are cut and get a hash. */
const NAME_CHARS = 200

/** The model of messages that the CLI itself writes, such as an API error. */
const NO_MODEL = '<synthetic>'

/** Tokens by model from Claude Code's record of the conversations in a directory: see `AgentAdapter.sessionTokens`. */
export async function claudeSessionTokens(query: SessionQuery): Promise<ModelTokens[] | undefined> {
  const { env, workingDir, sinceMs, untilMs = Number.POSITIVE_INFINITY } = query
  const home = env['CLAUDE_CONFIG_DIR'] ?? path.join(env['HOME'] ?? os.homedir(), '.claude')
  const projects = path.join(home, 'projects')
  const real = await realpath(workingDir).catch(() => path.resolve(workingDir))
  const name = real.replaceAll(/[^a-zA-Z0-9]/g, '-').slice(0, NAME_CHARS)
  const directories = (await readdir(projects).catch(() => [])).filter((directory) =>
    name.length < NAME_CHARS ? directory === name : directory.startsWith(name),
  )
  const found: ModelTokens[] = []
  let isFound = false
  for (const directory of directories) {
    const files = await readdir(path.join(projects, directory), { recursive: true }).catch(() => [])
    for (const file of files.filter((name) => name.endsWith('.jsonl'))) {
      const lines = parseJsonLines(await readText(path.join(projects, directory, file)))
      const { cwd, startedMs } = headOf(lines)
      if (cwd !== real || !(startedMs >= sinceMs && startedMs < untilMs)) continue
      isFound = true
      found.push(...answersOf(lines))
    }
  }
  return isFound ? byModel(found) : undefined
}

function headOf(lines: readonly unknown[]): { cwd: string | undefined; startedMs: number } {
  const heads = lines.flatMap((line) => {
    const parsed = lineSchema.safeParse(line)
    return parsed.success ? [parsed.data] : []
  })
  return {
    cwd: heads.find(({ cwd }) => typeof cwd === 'string')?.cwd ?? undefined,
    startedMs: Date.parse(heads.find(({ timestamp }) => typeof timestamp === 'string')?.timestamp ?? ''),
  }
}

/** An answer stands once for each of its blocks: the last one has its final counts. */
function answersOf(lines: readonly unknown[]): ModelTokens[] {
  const answers = new Map<string, ModelTokens>()
  for (const line of lines) {
    const parsed = answerSchema.safeParse(line)
    if (!parsed.success || parsed.data.message.model === NO_MODEL) continue
    const { id, model, usage } = parsed.data.message
    answers.set(id, {
      model,
      prompt: usage.input_tokens + usage.cache_creation_input_tokens + usage.cache_read_input_tokens,
      cached: usage.cache_read_input_tokens,
      completion: usage.output_tokens,
      thoughts: 0,
    })
  }
  return [...answers.values()]
}
