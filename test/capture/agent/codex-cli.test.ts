import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentDeps, AgentResult } from '../../../src/capture/agent/agent-run.ts'
import { executeAgent } from '../../../src/capture/agent/execute-agent.ts'
import type { ModelTurn } from '../../setup/fake-gemini-api.ts'
import { createFakeOpenAiApi, openAiUsage, type FakeOpenAiApi } from '../../setup/fake-openai-api.ts'
import { requireNpmProgram } from '../../setup/npm-program.ts'
import { until } from '../../setup/process.ts'

// The real Codex CLI of npm; only the model's API is ours.

let dir = ''
let workingDir = ''
let api: FakeOpenAiApi | undefined
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'audit-codex-'))
  workingDir = path.join(dir, 'workspace')
  mkdirSync(workingDir)
  mkdirSync(path.join(dir, '.codex'))
})
afterEach(async () => {
  await api?.close()
  rmSync(dir, { recursive: true, force: true })
})

const MODEL = 'gpt-5-codex'

interface Variation {
  readonly deps?: Partial<AgentDeps>
  readonly env?: NodeJS.ProcessEnv
  readonly url?: string
  readonly template?: string
  readonly model?: string
}

/** One run against an API that answers `turns`, the last of them for ever. */
async function run(turns: readonly ModelTurn[], varied: Variation = {}): Promise<AgentResult> {
  const program = await requireNpmProgram('codex')
  api = await createFakeOpenAiApi((index) => turns[Math.min(index, turns.length - 1)] as ModelTurn)
  const provider = [
    'model_provider = "local"',
    '[model_providers.local]',
    'name = "local"',
    `base_url = "${varied.url ?? `${api.url}/v1`}"`,
    'env_key = "OPENAI_API_KEY"',
    'wire_api = "responses"',
    // The CLI's own retries take minutes.
    'request_max_retries = 0',
    'stream_max_retries = 0',
  ]
  writeFileSync(path.join(dir, '.codex/config.toml'), provider.join('\n'))
  const env = { PATH: process.env['PATH'], HOME: dir, OPENAI_API_KEY: 'a-key-for-the-local-api' }
  const model = 'model' in varied ? {} : { model: MODEL }
  return executeAgent(
    {
      agent: 'codex-cli',
      workingDir,
      instruction: { template: varied.template ?? 'Write {{file}}.' },
      values: { file: '@a.txt' },
      context: '# Rules\nNever use any.\n',
      timeoutMs: 120_000,
      ...model,
    },
    { env: { ...env, ...varied.env }, command: [program], ...varied.deps },
  )
}

const shell = (cmd: string, more: object = {}) => ({ name: 'exec_command', args: { cmd, ...more } })
/** Asks for a permission that nobody is there to give. */
const refused = shell('echo > /somewhere-else.txt', {
  sandbox_permissions: 'require_escalated',
  justification: 'a test',
})

describe('executeAgent, with the real Codex CLI', () => {
  it('writes files, and returns tokens, the cost by prices, and the tools that it refused', async () => {
    const turns = [{ calls: [shell('echo hello > a.txt'), refused, shell('exit 3')] }, { text: 'Done.' }]
    const result = await run(turns, { deps: { prices: { [MODEL]: { input: 1, cached: 0.5, output: 10 } } } })
    expect(readFileSync(path.join(workingDir, 'a.txt'), 'utf8')).toBe('hello\n')
    expect(existsSync('/somewhere-else.txt')).toBe(false)
    expect(result).toMatchObject({
      ok: true,
      run: {
        response: 'Done.',
        promptTokens: 2 * openAiUsage.input,
        cachedTokens: 2 * openAiUsage.cached,
        completionTokens: 2 * openAiUsage.output,
        estimatedFields: ['context_token_count', 'instruction_token_count'],
        model: MODEL,
        costUsd: (2 * (600 * 1 + 400 * 0.5 + 57 * 10)) / 1e6,
        filesTouched: ['a.txt'],
        failedToolCalls: 2,
        refusedToolCalls: 1,
      },
    })
    expect(api?.requests[0]).toContain('Never use any.')
    expect(api?.requests[0]).toContain('Write @a.txt.')
  })

  it('the model that the CLI chose is found in its record of the session', async () => {
    const result = await run([{ text: 'Done.' }], { model: 'chosen by the CLI' })
    const { model } = JSON.parse(api?.requests[0] ?? '{}') as { model: string }
    expect(result).toMatchObject({ ok: true, run: { model, promptTokens: openAiUsage.input } })
  })

  it('refused tools are a failure with its tokens, despite exit code 0', async () => {
    const result = await run([{ calls: [refused] }, { text: 'I could not.' }])
    expect(result).toMatchObject({
      ok: false,
      reason: 'tools_refused',
      message: expect.stringContaining('escalated permissions') as string,
      run: { promptTokens: 2 * openAiUsage.input, completionTokens: 2 * openAiUsage.output },
    })
  })

  it('after an API error the tokens before it are returned', async () => {
    const result = await run([{ calls: [shell('echo > b.txt')] }, { status: 429, message: 'quota' }], {
      deps: { prices: { [MODEL]: { input: 1, cached: 0.5, output: 10 } } },
    })
    expect(result).toMatchObject({
      ok: false,
      reason: 'rate_limited',
      run: {
        promptTokens: openAiUsage.input,
        cachedTokens: openAiUsage.cached,
        completionTokens: openAiUsage.output,
        model: MODEL,
        costUsd: (600 * 1 + 400 * 0.5 + 57 * 10) / 1e6,
        filesTouched: ['b.txt'],
      },
    })
  })

  it.each<[string, ModelTurn, Variation, string]>([
    ['HTTP 401', { status: 401, message: 'Incorrect API key provided' }, {}, 'auth'],
    ['a missing key', { text: '' }, { env: { OPENAI_API_KEY: '' } }, 'auth'],
    ['HTTP 400', { status: 400, message: 'bad' }, {}, 'bad_request'],
    ['HTTP 500', { status: 500, message: 'boom' }, {}, 'server_error'],
    ['an empty answer', { text: '' }, {}, 'empty_answer'],
    ['an empty instruction', { text: '' }, { template: '' }, 'empty_instruction'],
  ])('reads %s by its meaning', async (_, turn, varied, reason) => {
    const result = await run([turn], varied)
    expect(result).toMatchObject({ ok: false, reason })
    if (reason === 'auth') expect((result as { message: string }).message).toContain('OPENAI_API_KEY')
  })

  it('when it is cancelled it ends with its commands, and its record of the session has the tokens', async () => {
    const cancel = new AbortController()
    // The sandbox has pids of its own, so the command is recognised by its argument.
    const seconds = String(70_000 + Math.random())
    const sleeps = shell(`echo hi > c.txt; exec sleep ${seconds}`)
    const answers = run([{ calls: [shell('echo hi > b.txt')] }, { calls: [sleeps] }], {
      deps: { signal: cancel.signal },
    })
    await until('the command runs', () => runs('sleep', seconds) || undefined)
    cancel.abort()
    const result = await answers
    expect(result).toMatchObject({
      ok: false,
      reason: 'cancelled',
      run: { estimatedFields: expect.arrayContaining(['prompt_token_count']) as string[] },
    })
    // A command may start before the counts of its answer arrive.
    expect([1, 2].map((answered) => answered * openAiUsage.input)).toContain(result.run.promptTokens)
    expect(result.run).not.toHaveProperty('costUsd')
    expect(runs('sleep', seconds)).toBe(false)
  })
})

/** Whether a process has exactly this command line. */
const runs = (...command: readonly string[]): boolean =>
  readdirSync('/proc').some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${command.join('\0')}\0`
    } catch {
      return false
    }
  })
