import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentDeps, AgentResult } from '../../../src/capture/agent/agent-run.ts'
import { executeAgent } from '../../../src/capture/agent/execute-agent.ts'
import {
  anthropicUsage,
  createFakeAnthropicApi,
  type FakeAnthropicApi,
} from '../../setup/fake-anthropic-api.ts'
import type { ModelTurn } from '../../setup/fake-gemini-api.ts'
import { requireNpmProgram } from '../../setup/npm-program.ts'
import { until } from '../../setup/process.ts'

// The real Claude Code of npm; only the model's API is ours.

let dir = ''
let workingDir = ''
let api: FakeAnthropicApi | undefined
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'audit-claude-'))
  workingDir = path.join(dir, 'workspace')
  mkdirSync(workingDir)
})
afterEach(async () => {
  await api?.close()
  rmSync(dir, { recursive: true, force: true })
})

const MODEL = 'claude-sonnet-4-5'
const PROMPT_TOKENS = anthropicUsage.input + anthropicUsage.cacheWritten + anthropicUsage.cacheRead

interface Variation {
  readonly deps?: Partial<AgentDeps>
  readonly env?: NodeJS.ProcessEnv
  readonly file?: string
  readonly model?: string
}

/** One run against an API that answers `turns`, the last of them for ever. */
async function run(turns: readonly ModelTurn[], varied: Variation = {}): Promise<AgentResult> {
  const program = await requireNpmProgram('claude')
  api = await createFakeAnthropicApi((index) => turns[Math.min(index, turns.length - 1)] as ModelTurn)
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    ANTHROPIC_BASE_URL: api.url,
    ANTHROPIC_API_KEY: 'a-key-for-the-local-api',
    // The CLI's own retries take minutes.
    CLAUDE_CODE_MAX_RETRIES: '0',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  }
  return executeAgent(
    {
      agent: 'claude-code',
      workingDir,
      instruction: { template: 'Write {{file}}.' },
      values: { file: varied.file ?? 'a.txt' },
      context: '# Rules\nNever use any.\n',
      model: varied.model ?? MODEL,
      timeoutMs: 120_000,
    },
    { env: { ...env, ...varied.env }, command: [program], ...varied.deps },
  )
}

const write = (file: string) => ({ name: 'Write', args: { file_path: file, content: 'hello\n' } })
const shell = (command: string) => ({ name: 'Bash', args: { command, description: 'a test' } })

describe('executeAgent, with the real Claude Code', () => {
  it('writes files, and returns tokens, the cost that it reports, and the tools that it refused', async () => {
    const calls = [write(path.join(workingDir, 'a.txt')), write('/somewhere-else.txt'), shell('exit 3')]
    const result = await run([{ calls }, { text: 'Done.' }], {
      // What the CLI reports comes first.
      deps: { prices: { [MODEL]: { input: 1000, output: 1000 } } },
    })
    expect(readFileSync(path.join(workingDir, 'a.txt'), 'utf8')).toBe('hello\n')
    expect(existsSync('/somewhere-else.txt')).toBe(false)
    expect(result).toMatchObject({
      ok: true,
      run: {
        response: 'Done.',
        promptTokens: 2 * PROMPT_TOKENS,
        cachedTokens: 2 * anthropicUsage.cacheRead,
        completionTokens: 2 * anthropicUsage.output,
        estimatedFields: ['context_token_count', 'instruction_token_count'],
        model: MODEL,
        filesTouched: ['a.txt'],
        failedToolCalls: 2,
        refusedToolCalls: 1,
      },
    })
    // List prices per million tokens: 3 in, 3.75 into the cache, 0.30 from the cache, 15 out.
    expect(result.run.costUsd).toBeCloseTo((2 * (600 * 3 + 100 * 3.75 + 300 * 0.3 + 57 * 15)) / 1e6, 9)
    expect(api?.requests[0]).toContain('Never use any.')
  })

  it('a cost that the CLI only guesses is left out, and prices fill it in', async () => {
    const unknown = { model: 'a-model-of-our-own' }
    expect((await run([{ text: 'Done.' }], unknown)).run).not.toHaveProperty('costUsd')
    await api?.close()
    const prices = { 'a-model-of-our-own': { input: 1, cached: 0.5, output: 10 } }
    const priced = await run([{ text: 'Done.' }], { ...unknown, deps: { prices } })
    expect(priced.run.costUsd).toBeCloseTo((700 * 1 + 300 * 0.5 + 57 * 10) / 1e6, 12)
  })

  it('refused tools are a failure with its tokens, despite exit code 0', async () => {
    const result = await run([{ calls: [write('/somewhere-else.txt')] }, { text: 'I could not.' }])
    expect(result).toMatchObject({
      ok: false,
      reason: 'tools_refused',
      message: 'all 1 tool calls were refused: Write',
      run: { promptTokens: 2 * PROMPT_TOKENS, completionTokens: 2 * anthropicUsage.output },
    })
  })

  it('after an API error the tokens and the cost before it are returned', async () => {
    const result = await run([{ calls: [shell('echo > b.txt')] }, { status: 429, message: 'quota' }])
    expect(result).toMatchObject({
      ok: false,
      reason: 'rate_limited',
      message: expect.stringContaining('quota') as string,
      run: { promptTokens: PROMPT_TOKENS, costUsd: expect.any(Number) as number, filesTouched: ['b.txt'] },
    })
  })

  it.each<[string, ModelTurn, NodeJS.ProcessEnv, string]>([
    ['HTTP 401', { status: 401, message: 'invalid x-api-key' }, {}, 'auth'],
    ['a missing key', { text: '' }, { ANTHROPIC_API_KEY: '' }, 'auth'],
    ['HTTP 529', { status: 529, message: 'busy' }, {}, 'server_error'],
    ['an empty answer', { text: '' }, {}, 'empty_answer'],
    ['an unreachable API', { text: '' }, { ANTHROPIC_BASE_URL: 'http://127.0.0.1:1' }, 'unreachable'],
  ])('reads %s by its meaning', async (_, turn, env, reason) => {
    const result = await run([turn], { env })
    expect(result).toMatchObject({ ok: false, reason })
    if (reason === 'auth') expect((result as { message: string }).message).toContain('ANTHROPIC_API_KEY')
  })

  it('when it is cancelled it ends with its commands, and its record of the session has the tokens', async () => {
    const cancel = new AbortController()
    const turns = [{ calls: [shell('echo hi > b.txt')] }, { calls: [shell('echo $$ > pid; sleep 7777')] }]
    const answers = run(turns, { deps: { signal: cancel.signal } })
    const pidFile = path.join(workingDir, 'pid')
    const pid = await until('the command runs', () =>
      existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) || undefined : undefined,
    )
    cancel.abort()
    const result = await answers
    expect(result).toMatchObject({
      ok: false,
      reason: 'cancelled',
      run: {
        promptTokens: 2 * PROMPT_TOKENS,
        cachedTokens: 2 * anthropicUsage.cacheRead,
        completionTokens: 2 * anthropicUsage.output,
        estimatedFields: expect.arrayContaining(['prompt_token_count']) as string[],
      },
    })
    expect(result.run).not.toHaveProperty('costUsd')
    expect(existsSync(`/proc/${String(pid)}/exe`)).toBe(false)
  })

  it('values cannot include files: an @name in a value reaches the model as text', async () => {
    writeFileSync(path.join(workingDir, 's.txt'), 'a secret')
    await run([{ text: 'Done.' }], { file: '> @s.txt' })
    expect(api?.requests[0]).toContain(JSON.stringify('> \\@s.txt').slice(1, -1))
    expect(api?.requests[0]).not.toContain('a secret')
  })
})
