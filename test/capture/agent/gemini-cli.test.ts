import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentDeps, AgentResult } from '../../../src/capture/agent/agent-run.ts'
import { executeGeminiAgent } from '../../../src/capture/agent/execute-agent.ts'
import { isRetryable } from '../../../src/capture/agent/agent-adapter.ts'
import { runProcess } from '../../../src/capture/process/run-process.ts'
import { markAgent } from '../../../src/capture/process/orphan.ts'
import { ESTIMATE_ERROR, estimateTokens } from '../../../src/capture/agent/token-estimate.ts'
import { sha256 } from '../../../src/capture/agent/workspace.ts'
import {
  createFakeGeminiApi,
  fakeUsage,
  type FakeGeminiApi,
  type ModelTurn,
} from '../../setup/fake-gemini-api.ts'
import { geminiEnvironment } from '../../setup/gemini-environment.ts'
import { until } from '../../setup/process.ts'

let dir = ''
let workingDir = ''
let api: FakeGeminiApi | undefined
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'audit-agent-'))
  workingDir = path.join(dir, 'workspace')
  mkdirSync(workingDir)
})
afterEach(async () => {
  await api?.close()
  api = undefined
  rmSync(dir, { recursive: true, force: true })
})

const MODEL = 'gemini-2.5-flash'
const CONTEXT = '# Rules\nNever use any.\n'
const instruction = { template: 'Write {{file}}.' }

interface Variation {
  readonly deps?: Partial<AgentDeps>
  readonly env?: NodeJS.ProcessEnv
  readonly timeoutMs?: number
  readonly values?: Record<string, string>
}

/** One run of the real CLI against an API that answers `turns`, the last of them for ever. */
async function run(turns: readonly ModelTurn[], varied: Variation = {}): Promise<AgentResult> {
  api = await createFakeGeminiApi((_, index) => turns[Math.min(index, turns.length - 1)] as ModelTurn)
  return executeGeminiAgent(
    {
      workingDir,
      instruction,
      values: varied.values ?? { file: 'a.txt' },
      context: CONTEXT,
      model: MODEL,
      timeoutMs: varied.timeoutMs ?? 60_000,
    },
    { env: { ...geminiEnvironment(dir, api.url), ...varied.env }, ...varied.deps },
  )
}

const writeFileCall = (file: string): ModelTurn => ({
  calls: [{ name: 'write_file', args: { file_path: path.join(workingDir, file), content: 'hello\n' } }],
})

describe('executeGeminiAgent, with the real Gemini CLI', () => {
  it('writes files, and returns tokens, hash, prompt version, cost and files touched', async () => {
    writeFileSync(path.join(workingDir, 'untouched.txt'), 'as it was')
    const result = await run([writeFileCall('src/a.txt'), { text: 'Done.' }], {
      deps: { prices: { [MODEL]: { input: 1, cached: 0.5, output: 10 } } },
    })
    expect(readFileSync(path.join(workingDir, 'src/a.txt'), 'utf8')).toBe('hello\n')
    expect(result).toMatchObject({
      ok: true,
      run: {
        response: 'Done.',
        promptTokens: 2 * fakeUsage.prompt,
        cachedTokens: 2 * fakeUsage.cached,
        completionTokens: 2 * (fakeUsage.candidates + fakeUsage.thoughts),
        contextTokens: estimateTokens(CONTEXT),
        instructionTokens: estimateTokens('Write a.txt.'),
        estimatedFields: ['context_token_count', 'instruction_token_count'],
        estimateError: ESTIMATE_ERROR,
        contextFileHash: sha256(CONTEXT),
        instructionVersion: sha256(instruction.template).slice(0, 8),
        model: MODEL,
        costUsd: (2 * (600 * 1 + 400 * 0.5 + 57 * 10)) / 1e6,
        filesTouched: ['src/a.txt'],
        filesTouchedCount: 1,
        failedToolCalls: 0,
      },
    })
    expect(api?.requests[0]?.prompt).toBe('Write a.txt.')
    expect(api?.requests[0]?.conversation).toContain('Never use any.')
  })

  it('accepts an instruction longer than the limit for an argument', async () => {
    const file = 'x'.repeat(300_000)
    await run([{ text: 'Done.' }], { values: { file } })
    expect(api?.requests[0]?.prompt).toBe(`Write ${file}.`)
  })

  it.each<[string, ModelTurn[], string, boolean]>([
    ['HTTP 429', [{ status: 429, message: 'quota' }], 'rate_limited', true],
    ['HTTP 500', [{ status: 500, message: 'boom' }], 'server_error', true],
    ['HTTP 400 for a wrong key', [{ status: 400, message: 'API key not valid.' }], 'auth', false],
    ['an empty answer, exit code 0', [{ empty: true }], 'empty_answer', true],
  ])('reads %s by its meaning', async (_, turns, reason, retryable) => {
    const result = await run(turns)
    expect(result).toMatchObject({ ok: false, reason })
    expect(isRetryable((result as AgentResult & { ok: false }).reason)).toBe(retryable)
  })

  it('refused tools are a failure with its tokens, despite exit code 0', async () => {
    const outside: ModelTurn = {
      calls: [{ name: 'write_file', args: { file_path: '/somewhere-else.txt', content: 'x' } }],
    }
    const result = await run([outside, { text: 'I could not.' }])
    expect(result).toMatchObject({
      ok: false,
      reason: 'tools_refused',
      run: { promptTokens: 2000, completionTokens: 114 },
    })
    expect((result as { message: string }).message).toContain('somewhere-else.txt')
  })

  it('a missing file is not a failure of the agent', async () => {
    const nowhere: ModelTurn = { calls: [{ name: 'read_file', args: { file_path: 'nowhere.txt' } }] }
    const result = await run([nowhere, { text: 'There is none.' }])
    expect(result).toMatchObject({ ok: true, run: { response: 'There is none.', failedToolCalls: 1 } })
  })

  it('after an API error the tokens before it are returned', async () => {
    const result = await run([writeFileCall('a.txt'), { status: 429, message: 'quota' }], {
      deps: { prices: { [MODEL]: { input: 1, cached: 0.5, output: 10 } } },
    })
    expect(result).toEqual({
      ok: false,
      reason: 'rate_limited',
      message: expect.stringContaining('quota') as string,
      run: {
        promptTokens: fakeUsage.prompt,
        cachedTokens: fakeUsage.cached,
        completionTokens: fakeUsage.candidates + fakeUsage.thoughts,
        contextTokens: estimateTokens(CONTEXT),
        instructionTokens: estimateTokens('Write a.txt.'),
        estimatedFields: ['context_token_count', 'instruction_token_count'],
        estimateError: ESTIMATE_ERROR,
        contextFileHash: sha256(CONTEXT),
        instructionVersion: sha256(instruction.template).slice(0, 8),
        model: MODEL,
        costUsd: (600 * 1 + 400 * 0.5 + 57 * 10) / 1e6,
        filesTouched: ['a.txt'],
        filesTouchedCount: 1,
        durationMs: expect.any(Number) as number,
        finishedAt: expect.any(String) as string,
      },
    })
  })

  it('after a timeout the known tokens are a lower bound, without a cost', async () => {
    const cancel = new AbortController()
    const answers = run([writeFileCall('a.txt'), { hang: true }], {
      deps: { signal: cancel.signal, prices: { [MODEL]: { input: 1, output: 10 } } },
    })
    await until('the CLI has asked the model again', () => api?.requests.length === 2 || undefined)
    cancel.abort()
    const result = await answers
    expect(result).toMatchObject({
      ok: false,
      reason: 'cancelled',
      run: {
        promptTokens: fakeUsage.prompt,
        cachedTokens: fakeUsage.cached,
        completionTokens: fakeUsage.candidates + fakeUsage.thoughts,
        estimatedFields: expect.arrayContaining(['prompt_token_count', 'completion_token_count']) as string[],
      },
    })
    expect(result.run).not.toHaveProperty('costUsd')
  })

  it('values cannot include files: an @name in a value reaches the model as text', async () => {
    mkdirSync(path.join(workingDir, '@acme'))
    writeFileSync(path.join(workingDir, '@acme/sum'), 'a secret')
    writeFileSync(path.join(workingDir, 'a.txt'), 'another')
    await run([{ text: 'Done.' }], { values: { file: '> @acme/sum@1.0.0 build, me@a.txt \\@a.txt' } })
    expect(api?.requests[0]?.prompt).toBe('Write > \\@acme/sum\\@1.0.0 build, me\\@a.txt \\@a.txt.')
    expect(api?.requests[0]?.conversation).not.toMatch(/secret|another/)
  })

  it('recognises a missing key and an empty instruction by the exit code', async () => {
    expect(await run([{ text: '' }], { env: { GEMINI_API_KEY: '' } })).toMatchObject({ reason: 'auth' })
    await api?.close()
    const empty = executeGeminiAgent(
      {
        workingDir,
        instruction: { template: '' },
        values: {},
        context: CONTEXT,
        timeoutMs: 60_000,
        model: MODEL,
      },
      { env: geminiEnvironment(dir, 'http://127.0.0.1:1') },
    )
    expect(await empty).toMatchObject({ ok: false, reason: 'empty_instruction' })
  })

  it('recognises an unreachable API', async () => {
    const result = await run([{ text: '' }], { env: { GOOGLE_GEMINI_BASE_URL: 'http://127.0.0.1:1' } })
    expect(result).toMatchObject({ ok: false, reason: 'unreachable' })
  })

  it('ends an agent at its timeout', async () => {
    const result = await run([{ hang: true }], { timeoutMs: 3_000 })
    expect(result).toMatchObject({ ok: false, reason: 'timeout' })
    expect(existsSync(path.join(workingDir, '.audit_trace.jsonl.agent'))).toBe(false)
  })

  it('ends the agent when it is cancelled', async () => {
    const cancel = new AbortController()
    const answers = run([{ hang: true }], { deps: { signal: cancel.signal } })
    await until('the CLI has asked the model', () => api?.requests.length === 1 || undefined)
    cancel.abort()
    expect(await answers).toMatchObject({ ok: false, reason: 'cancelled' })
  })

  it.each([false, true])(
    'ends the commands that the agent runs when it is cancelled (on GitHub: %s)',
    async (github) => {
      const command = 'echo $$ > command.pid; sleep 7777'
      const cancel = new AbortController()
      const answers = run([{ calls: [{ name: 'run_shell_command', args: { command } }] }], {
        deps: { signal: cancel.signal },
        env: github ? { GITHUB_SHA: 'abc' } : {},
      })
      const pidFile = path.join(workingDir, 'command.pid')
      const pid = await until('the command runs', () => Number(readFileSync(pidFile, 'utf8')) || undefined)
      cancel.abort()
      expect(await answers).toMatchObject({ ok: false, reason: 'cancelled' })
      // Gone, or dead and not yet fetched by its parent.
      expect(existsSync(`/proc/${String(pid)}/exe`)).toBe(false)
    },
  )

  it('recognises a kill from outside, although the CLI exits with 0 after SIGTERM', async () => {
    const answers = run([{ hang: true }])
    await until('the CLI has asked the model', () => api?.requests.length === 1 || undefined)
    const mark = readFileSync(path.join(workingDir, '.audit_trace.jsonl.agent'), 'utf8')
    process.kill((JSON.parse(mark) as { groupId: number }).groupId, 'SIGTERM')
    expect(await answers).toMatchObject({ ok: false, reason: 'no_output' })
  })

  it('ends the agent of a killed worker before it starts its own', async () => {
    let marked: Promise<void> | undefined
    const orphan = runProcess({
      command: 'sleep',
      args: ['1000'],
      cwd: workingDir,
      env: process.env,
      timeoutMs: 1_000_000,
      onStart: (groupId) => {
        marked = markAgent(workingDir, groupId)
      },
    })
    await marked
    expect(await run([{ text: 'Done.' }])).toMatchObject({ ok: true })
    expect(await orphan).toMatchObject({ how: 'killed', endedBy: 'SIGKILL' })
  })

  it('a missing program is an error that names it', async () => {
    await expect(run([{ text: '' }], { deps: { command: ['no-such-gemini'] } })).rejects.toThrow(
      /cannot start no-such-gemini in .*workspace: spawn no-such-gemini ENOENT/,
    )
  })
})
