import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentDeps, AgentRequest, AgentResult } from '../../../src/capture/agent/agent-run.ts'
import { executeAgent } from '../../../src/capture/agent/execute-agent.ts'
import { AGENTS } from '../../../src/capture/agent/agents.ts'
import {
  ESTIMATE_ERROR,
  estimateO200kTokens,
  estimateTokens,
} from '../../../src/capture/agent/token-estimate.ts'
import { agentEntry } from '../../../src/capture/temporal/step-entries.ts'
import { appendAuditEntry } from '../../../src/capture/trace/log-audit-entry.ts'

// The real CLIs have tests of their own; here a script takes their place.
let dir = ''
let workingDir = ''
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'audit-agent-'))
  workingDir = path.join(dir, 'workspace')
  mkdirSync(workingDir)
})
afterEach(() => {
  rmSync(dir, { recursive: true, force: true })
})

const MODEL = 'a-model'
/** Hex, for which the estimators differ. */
const CONTEXT = 'Hash: 0123456789abcdef0123456789abcdef\n'

interface Variation extends Partial<AgentDeps> {
  readonly agent?: AgentRequest['agent']
}

/** One run of a script that prints what the CLI would. */
function run(script: string, { agent, ...deps }: Variation = {}): Promise<AgentResult> {
  const program = path.join(dir, 'agent.cjs')
  writeFileSync(program, script)
  return executeAgent(
    {
      ...(agent === undefined ? {} : { agent }),
      workingDir,
      instruction: { template: 'Write {{file}}.' },
      values: { file: 'a.txt' },
      context: CONTEXT,
      model: MODEL,
      timeoutMs: 60_000,
    },
    { env: process.env, command: ['node', program], ...deps },
  )
}

const printing = (output: object): string => `console.log(${JSON.stringify(JSON.stringify(output))})`
/** An older Gemini CLI, or another agent behind the same flags, that reports no counts. */
const WITHOUT_COUNTS = printing({ response: 'Two words' })
const SPLIT = ['context_token_count', 'instruction_token_count']
const TOTALS = ['prompt_token_count', 'completion_token_count', 'total_token_cost']

describe('token counts', () => {
  it('without the statistics of the CLI are estimates, each marked as one, and have no cost', async () => {
    const prices = { [MODEL]: { input: 1, output: 10 } }
    const result = await run(WITHOUT_COUNTS, { estimate: (text) => text.length, prices })
    expect(result.run, 'a price for what is not known').not.toHaveProperty('costUsd')
    expect(result).toMatchObject({
      ok: true,
      run: {
        promptTokens: CONTEXT.length + 'Write a.txt.'.length,
        completionTokens: 'Two words'.length,
        estimatedFields: [...SPLIT, ...TOTALS],
      },
    })
  })

  it('that are estimates carry the error of the estimator into the entry', async () => {
    const { run: effort } = await run(WITHOUT_COUNTS)
    const step = { workflow_run_id: 'a', step_name: 'scaffold', ...agentEntry(effort) }
    const { entry } = await appendAuditEntry(workingDir, step)
    expect(entry).toMatchObject({
      prompt_token_count: estimateTokens(CONTEXT) + estimateTokens('Write a.txt.'),
      estimated_fields: [...SPLIT, ...TOTALS],
      estimate_error: ESTIMATE_ERROR,
    })
  })

  it('of Codex CLI are estimated for the tokenizer of its models', async () => {
    expect(estimateO200kTokens(CONTEXT)).not.toBe(estimateTokens(CONTEXT))
    const { run: effort } = await run('', { agent: 'codex-cli' })
    expect(effort).toMatchObject({
      contextTokens: estimateO200kTokens(CONTEXT),
      estimateError: ESTIMATE_ERROR,
    })
  })

  it('of models without a public tokenizer have an unknown error', async () => {
    const { run: effort } = await run('', { agent: 'claude-code' })
    expect(effort.contextTokens).toBe(estimateTokens(CONTEXT))
    expect(effort).not.toHaveProperty('estimateError')
    expect(agentEntry(effort)).not.toHaveProperty('estimate_error')
  })

  it('by an estimator of the caller have the error that the caller gives, or none', async () => {
    const estimate = (text: string): number => text.length
    expect((await run(WITHOUT_COUNTS, { estimate, estimateError: 0 })).run).toMatchObject({
      estimateError: 0,
    })
    expect((await run(WITHOUT_COUNTS, { estimate })).run).not.toHaveProperty('estimateError')
  })

  it('of an adapter of the caller are estimated as it says', async () => {
    const estimator = { estimate: (text: string): number => text.length, error: 0.5 }
    const adapters = { mine: { ...AGENTS['gemini-cli'], estimator } }
    expect((await run(WITHOUT_COUNTS, { agent: 'mine', adapters })).run).toMatchObject({
      contextTokens: CONTEXT.length,
      completionTokens: 'Two words'.length,
      estimateError: 0.5,
    })
  })
})

describe('files touched', () => {
  it('a long list is cut, with a marker that is valid in the trace', async () => {
    const files = `for (let i = 0; i < 3000; i++) require('fs').writeFileSync('generated-' + i, '')`
    const { run: told } = await run(`${files}; ${printing({ response: 'ok' })}`)
    expect(told.filesTouchedCount).toBe(3000)
    expect(told.filesTouched).toHaveLength(2001)
    expect(told.filesTouched.at(-1)).toBe('[… 1000 of 3000 files left out …]')
    const step = { workflow_run_id: 'a', step_name: 'scaffold', files_touched: [...told.filesTouched] }
    await expect(appendAuditEntry(workingDir, step)).resolves.toMatchObject({ written: true })
  })
})
