import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { WorkflowFailedError, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { Worker } from '@temporalio/worker'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { choosePromptVersion } from '../../src/capture/agent/choose-prompt-version.ts'
import { DEFAULT_CHECKS } from '../../src/capture/checks/compliance-checks.ts'
import type { AuditedBuildWorkflow } from '../../src/capture/temporal/audited-build.ts'
import type { AuditedBuildFailure, AuditedBuildInput } from '../../src/capture/temporal/types.ts'
import { workflowsPath } from '../../src/capture/temporal/worker.ts'
import { sha256 } from '../../src/capture/agent/workspace.ts'
import { check } from '../../src/commands/check.ts'
import { startDaemon } from '../setup/daemon.ts'
import {
  createFakeGeminiApi,
  fakeUsage,
  type FakeGeminiApi,
  type ModelRequest,
  type ModelTurn,
} from '../setup/fake-gemini-api.ts'
import { anthropicUsage, createFakeAnthropicApi } from '../setup/fake-anthropic-api.ts'
import { requireNpmProgram } from '../setup/npm-program.ts'
import { geminiEnvironment } from '../setup/gemini-environment.ts'
import { brokenSources, packageFiles, toolsDir } from '../setup/package-project.ts'
import { start, until, type Started } from '../setup/process.ts'
import { scriptedAgent } from '../setup/scripted-agent.ts'
import { startTemporal } from '../setup/temporal.ts'

// The real Temporal server, a real worker in a process of its own, the real Gemini CLI, npm, tsc, eslint and
// node:test; only the model's API is ours.

const MODEL = 'gemini-2.5-flash'
const CONTEXT = '# Rules\nUse strict equality.\n'
const SOUND = packageFiles['src/sum.js'] ?? ''
const RECORDED = path.resolve(import.meta.dirname, '../golden/audited-build.history.json')
const RUN = path.resolve(import.meta.dirname, '../setup/run-worker.ts')

let temporal: TestWorkflowEnvironment | undefined
let dir = ''
let api: FakeGeminiApi | undefined
let worker: Started | undefined
let queue = 0

beforeEach(async () => {
  temporal ??= await startTemporal()
  dir = mkdtempSync(path.join(tmpdir(), 'audited-build-'))
  mkdirSync(template())
  writeFileSync(path.join(template(), 'package.json'), packageFiles['package.json'] ?? '')
  queue++
})
afterAll(async () => temporal?.teardown())
afterEach(async () => {
  await worker?.stop('SIGKILL')
  worker = undefined
  await api?.close()
  rmSync(dir, { recursive: true, force: true })
})

const builds = (): string => path.join(dir, 'builds')
const template = (): string => path.join(dir, 'template')
const taskQueue = (): string => `builds-${String(queue)}`

async function prepare(answer: (request: ModelRequest, index: number) => ModelTurn): Promise<FakeGeminiApi> {
  api = await createFakeGeminiApi(answer)
  startWorker(api)
  return api
}

function startWorker(api: FakeGeminiApi): void {
  const env = geminiEnvironment(dir, api.url)
  const tools = { PATH: `${toolsDir}:${String(env['PATH'])}`, NODE_OPTIONS: '' }
  worker = start(process.execPath, [RUN, temporal?.address ?? '', taskQueue()], { ...env, ...tools })
}

type Handle = WorkflowHandleWithFirstExecutionRunId<typeof AuditedBuildWorkflow>

async function build(more: Partial<AuditedBuildInput> = {}): Promise<Handle> {
  const input: AuditedBuildInput = {
    packageName: '@acme/sum',
    workspaceRoot: builds(),
    templateDir: template(),
    specification: 'A function that adds up numbers.',
    context: CONTEXT,
    model: MODEL,
    agentRetryMs: 100,
    heartbeatTimeoutMs: 5_000,
    ...more,
  }
  const { client } = temporal as TestWorkflowEnvironment
  return client.workflow.start<typeof AuditedBuildWorkflow>('AuditedBuildWorkflow', {
    workflowId: `build-${taskQueue()}`,
    taskQueue: taskQueue(),
    args: [input],
  })
}

const traceOf = (handle: Handle): string =>
  path.join(builds(), 'acme-sum', handle.firstExecutionRunId, 'audit_trace.jsonl')

function entriesOf(handle: Handle): Record<string, unknown>[] {
  const lines = readFileSync(traceOf(handle), 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

const stepsOf = (handle: Handle): unknown[] => entriesOf(handle).map((entry) => entry['step_name'])

/** How the activities of that name were asked for, in order. */
async function scheduled(handle: Handle, activity: string) {
  const { events } = await handle.fetchHistory()
  const all = (events ?? []).flatMap((event) => event.activityTaskScheduledEventAttributes ?? [])
  return all.filter(({ activityType }) => activityType?.name === activity)
}

async function causeOf(handle: Handle): Promise<unknown> {
  const error: unknown = await handle.result().catch((error: unknown) => error)
  return (error as WorkflowFailedError).cause
}

async function failureOf(handle: Handle): Promise<AuditedBuildFailure> {
  const cause = await causeOf(handle)
  expect(cause, worker?.output()).toBeInstanceOf(ApplicationFailure)
  expect((cause as ApplicationFailure).type).toBe('AuditedBuildFailed')
  return (cause as ApplicationFailure).details?.[0] as AuditedBuildFailure
}

async function expectNoFaults(): Promise<void> {
  const faults: string[] = []
  const options = {
    fileName: 'audit_trace.jsonl',
    maxLineBytes: 16 * 2 ** 20,
    followSymlinks: false,
    strict: true,
  }
  const result = await check({ ...options, paths: [builds()] }, (line) => faults.push(line))
  expect({ faults, files: result.files }).toEqual({ faults: [], files: 1 })
}

/** What the daemon makes of the trace equals what the trace says. */
async function expectDaemonAgrees(handle: Handle, outcome: string): Promise<void> {
  const daemon = await startDaemon({ roots: [builds()], state: path.join(dir, 'state') })
  try {
    await daemon.ready()
    const samples = await daemon.scrape()
    const total = (name: string, label = ''): number =>
      [...samples]
        .filter(([series]) => series.startsWith(`${name}{`) && series.includes(label))
        .reduce((sum, [, value]) => sum + value, 0)
    const entries = entriesOf(handle)
    const sumOf = (field: string): number =>
      entries.reduce((sum, entry) => sum + ((entry[field] as number | undefined) ?? 0), 0)
    expect(total('audit_entries_total')).toBe(entries.length)
    expect(total('audit_tokens_total', 'type="prompt"')).toBe(sumOf('prompt_token_count'))
    expect(total('audit_tokens_total', 'type="completion"')).toBe(sumOf('completion_token_count'))
    expect(total('audit_builds_total', `outcome="${outcome}"`)).toBe(1)
    expect(total('audit_exporter_rejected_lines_total')).toBe(0)
  } finally {
    await daemon.stop()
  }
}

/** Tokens of one run of the agent that calls tools once. */
const RUN_PROMPT = 2 * fakeUsage.prompt
const RUN_COMPLETION = 2 * (fakeUsage.candidates + fakeUsage.thoughts)

/** What the trace tells of every step at which the agent failed. No factor: there is nothing to hold against a log. */
const FAILED = {
  timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
  context_file_hash: sha256(CONTEXT),
  validation_status: 'N/A',
  commands_attempted: [],
  files_touched: [],
  context_token_count: expect.any(Number) as number,
  instruction_token_count: expect.any(Number) as number,
  model: MODEL,
  duration_ms: expect.any(Number) as number,
  estimate_error: 0.2,
  error_full: expect.any(String) as string,
  error_log_size_chars: 0,
  entry_id: expect.any(String) as string,
}

const implementing = ({ prompt }: ModelRequest): boolean => prompt.startsWith('Implement')
const waiting = { detail: (): string => worker?.output() ?? '' }

describe('AuditedBuildWorkflow', () => {
  it('builds at the first pass, with every field of every step in the trace', async () => {
    await prepare(scriptedAgent([SOUND]))
    const handle = await build({ project: 'sums' })
    const runId = handle.firstExecutionRunId
    expect(await handle.result()).toEqual({
      outcome: 'first_pass',
      workingDir: path.dirname(traceOf(handle)),
      workflowRunId: runId,
      fixAttempts: 0,
      totalTokens: 2 * (RUN_PROMPT + RUN_COMPLETION),
    })

    const aNumber = expect.any(Number) as number
    const common = {
      workflow_run_id: runId,
      project: 'sums',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      context_file_hash: sha256(CONTEXT),
      duration_ms: aNumber,
    }
    const agent = {
      ...common,
      prompt_token_count: RUN_PROMPT,
      cached_token_count: 2 * fakeUsage.cached,
      completion_token_count: RUN_COMPLETION,
      total_token_cost: RUN_PROMPT + RUN_COMPLETION,
      validation_status: 'N/A',
      commands_attempted: [],
      context_token_count: aNumber,
      instruction_token_count: aNumber,
      model: MODEL,
      estimated_fields: ['context_token_count', 'instruction_token_count'],
      estimate_error: 0.2,
    }
    expect(entriesOf(handle)).toEqual([
      {
        ...agent,
        step_name: 'scaffold',
        instruction_version: 'scaffold-1',
        files_touched: ['eslint.config.js', 'src/sum.test.js'],
        entry_id: expect.stringMatching(`^${runId}/scaffold/\\d{4}-`) as string,
      },
      {
        ...agent,
        step_name: 'implement_v1',
        instruction_version: 'implement-1',
        files_touched: ['src/sum.js'],
        entry_id: expect.stringMatching(`^${runId}/implement_v1/\\d{4}-`) as string,
      },
      {
        ...common,
        step_name: 'initial_verification',
        validation_status: 'pass',
        commands_attempted: ['npm install --no-audit --no-fund', 'npm run build', 'npm run lint', 'npm test'],
        files_touched: [],
        entry_id: expect.stringMatching(`^${runId}/initial_verification/\\d{4}-`) as string,
      },
    ])
    // Ten minutes is what one check may take that does not say.
    const [checks] = await scheduled(handle, 'runComplianceChecks')
    expect(Number(checks?.startToCloseTimeout?.seconds)).toBeGreaterThan(DEFAULT_CHECKS.length * 600)
    await expectNoFaults()
    await expectDaemonAgrees(handle, 'first_pass')
  })

  it('fixes three kinds of failure one after the other, and decides the same when replayed', async () => {
    const { TSC_ERROR, ESLINT_ERROR_EQEQEQ, NODE_TEST_FAILURE } = brokenSources
    const { requests } = await prepare(
      scriptedAgent([TSC_ERROR, ESLINT_ERROR_EQEQEQ, NODE_TEST_FAILURE, SOUND]),
    )
    const handle = await build()
    expect(await handle.result()).toMatchObject({ outcome: 'after_rework', fixAttempts: 3 })

    const told = entriesOf(handle).map((entry) => [
      entry['step_name'],
      entry['validation_status'],
      entry['validation_error_type'],
    ])
    expect(told).toEqual([
      ['scaffold', 'N/A', undefined],
      ['implement_v1', 'N/A', undefined],
      ['initial_verification', 'fail', 'TSC_ERROR'],
      ['fix_attempt_1', 'N/A', 'TSC_ERROR'],
      ['verification_1', 'fail', 'ESLINT_ERROR_EQEQEQ'],
      ['fix_attempt_2', 'N/A', 'ESLINT_ERROR_EQEQEQ'],
      ['verification_2', 'fail', 'NODE_TEST_FAILURE'],
      ['fix_attempt_3', 'N/A', 'NODE_TEST_FAILURE'],
      ['verification_3', 'pass', undefined],
    ])
    // The agent was shown the compiler's own words, and its tokens are held against their length.
    const prompt = requests.find(({ prompt }) => prompt.startsWith('`npm'))?.prompt ?? ''
    expect(prompt).toMatch(/^`npm run build` fails with TSC_ERROR[^]*src\/sum\.js\(2,\d+\): error TS2339/)
    const shown = prompt.split('\n\n').slice(1).join('\n\n')
    expect(entriesOf(handle)[3]).toMatchObject({
      error_log_size_chars: shown.length,
      rework_cost_factor: RUN_COMPLETION / shown.length,
    })
    await expectNoFaults()
    await expectDaemonAgrees(handle, 'after_rework')
    const history = await handle.fetchHistory()
    await Worker.runReplayHistory({ workflowsPath }, history)
    // What test/capture/temporal/audited-build.test.ts replays; to be recorded anew when the workflow changes on purpose.
    if (process.env['RECORD_HISTORY'] === 'true') writeFileSync(RECORDED, historyToJSON(history))
  })

  it('runs the agent of its input, with prompt versions that are assigned by the id of the build', async () => {
    const { TSC_ERROR } = brokenSources
    const files = Object.entries(packageFiles).filter(([name]) => name !== 'package.json')
    const turns: ModelTurn[] = [
      { calls: files.map(([file_path, content]) => ({ name: 'Write', args: { file_path, content } })) },
      { text: 'Done.' },
      // The CLI wants a file to be read before it is written again.
      {
        calls: [
          { name: 'Bash', args: { command: `cat > src/sum.js <<'END'\n${TSC_ERROR}END`, description: 'a' } },
        ],
      },
      { text: 'Done.' },
      {
        calls: [
          { name: 'Bash', args: { command: `cat > src/sum.js <<'END'\n${SOUND}END`, description: 'a' } },
        ],
      },
      { text: 'Done.' },
    ]
    const anthropic = await createFakeAnthropicApi((index) => turns[index] ?? { text: 'Done.' })
    try {
      const claude = path.dirname(await requireNpmProgram('claude'))
      worker = start(process.execPath, [RUN, temporal?.address ?? '', taskQueue()], {
        PATH: `${claude}:${toolsDir}:${String(process.env['PATH'])}`,
        HOME: dir,
        ANTHROPIC_BASE_URL: anthropic.url,
        ANTHROPIC_API_KEY: 'a-key-for-the-local-api',
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      })
      const fix = ['fix-1', 'fix-2'].map((version) => ({ version, template: `${version}: {{error_log}}` }))
      const model = 'claude-sonnet-4-5'
      const checks = DEFAULT_CHECKS.filter(({ kind }) => kind === 'build')
      const handle = await build({ agent: 'claude-code', model, instructions: { fix }, checks })
      const result = await handle.result().catch((error: unknown) => error)
      expect(result, worker.output()).toMatchObject({ outcome: 'after_rework', fixAttempts: 1 })

      const { input, cacheWritten, cacheRead, output } = anthropicUsage
      const { version, assignment } = choosePromptVersion(handle.firstExecutionRunId, fix)
      const entries = entriesOf(handle)
      expect(entries[0]).not.toHaveProperty('instruction_assignment')
      expect(entries[3]).toMatchObject({
        step_name: 'fix_attempt_1',
        prompt_token_count: 2 * (input + cacheWritten + cacheRead),
        cached_token_count: 2 * cacheRead,
        completion_token_count: 2 * output,
        cost_usd: expect.any(Number) as number,
        model,
        instruction_version: version,
        instruction_assignment: assignment,
        files_touched: ['src/sum.js'],
      })
      expect(anthropic.requests[4]).toContain(`${version}: `)
      expect(readFileSync(path.join(path.dirname(traceOf(handle)), 'CLAUDE.md'), 'utf8')).toBe(CONTEXT)
      await expectNoFaults()
    } finally {
      await anthropic.close()
    }
  })

  it('refuses an agent and prompt versions that it cannot use, and says what it can', async () => {
    await prepare(() => ({ text: 'Done.' }))
    const unknown = await build({ agent: 'copilot' })
    expect(await failureOf(unknown)).toMatchObject({ reason: 'agent_failed', errorType: 'AGENT_UNKNOWN' })
    expect(JSON.stringify(await unknown.fetchHistory())).toContain('gemini-cli, claude-code, codex-cli')
    const fix = ['fix-1', 'fix-1'].map((version) => ({ version, template: 'a' }))
    const cause = await causeOf(await build({ instructions: { fix } }))
    expect(cause).toMatchObject({
      type: 'INVALID_PROMPT_VERSIONS',
      message: expect.stringContaining('"fix-1"') as string,
    })
  })

  it('fails after as many fixes as it is allowed', async () => {
    await prepare(scriptedAgent([brokenSources.TSC_ERROR]))
    const handle = await build({ maxFixAttempts: 1 })
    expect(await failureOf(handle)).toMatchObject({
      reason: 'checks_failed',
      step: 'build',
      errorType: 'TSC_ERROR',
      fixAttempts: 1,
      totalTokens: 3 * (RUN_PROMPT + RUN_COMPLETION),
    })
    expect(stepsOf(handle)).toEqual([
      'scaffold',
      'implement_v1',
      'initial_verification',
      'fix_attempt_1',
      'verification_1',
    ])
  })

  it('tries again after refusals and an empty answer, logs the step once, and counts what each attempt cost', async () => {
    const agent = scriptedAgent([SOUND])
    const notes = { name: 'write_file', args: { file_path: 'notes.txt', content: 'Begun.' } }
    const attempts: ModelTurn[] = [
      { status: 429, message: 'quota' },
      { status: 503, message: 'overloaded' },
      { calls: [notes] },
      { status: 429, message: 'quota' },
      { empty: true },
    ]
    await prepare((request) => attempts.shift() ?? agent(request))
    const handle = await build()
    expect(await handle.result()).toMatchObject({ outcome: 'first_pass' })
    expect(stepsOf(handle)).toEqual(['scaffold', 'implement_v1', 'initial_verification'])
    expect(entriesOf(handle)).toMatchObject([
      {
        prompt_token_count: 2 * fakeUsage.prompt + RUN_PROMPT,
        cached_token_count: 4 * fakeUsage.cached,
        completion_token_count: 2 * (fakeUsage.candidates + fakeUsage.thoughts) + RUN_COMPLETION,
        estimated_fields: ['context_token_count', 'instruction_token_count'],
        files_touched: ['eslint.config.js', 'notes.txt', 'src/sum.test.js'],
      },
      { prompt_token_count: RUN_PROMPT },
      {},
    ])
    await expectDaemonAgrees(handle, 'first_pass')
  })

  it('does not try a refused key again, and logs what it failed at', async () => {
    const { requests } = await prepare(() => ({ status: 401, message: 'API key not valid' }))
    const handle = await build()
    expect(await failureOf(handle)).toMatchObject({
      reason: 'agent_failed',
      step: 'scaffold',
      errorType: 'AGENT_AUTH',
    })
    expect(requests).toHaveLength(1)
    const [entry] = entriesOf(handle)
    expect(entry).toEqual({
      ...FAILED,
      workflow_run_id: handle.firstExecutionRunId,
      step_name: 'scaffold',
      instruction_version: 'scaffold-1',
      validation_error_type: 'AGENT_AUTH',
      estimated_fields: ['context_token_count', 'instruction_token_count'],
    })
    await expectNoFaults()
  })

  it('keeps what a step had cost when its last attempt is lost with its worker', async () => {
    const attempts: ModelTurn[] = [{ empty: true }]
    const agent = scriptedAgent([SOUND])
    let hung = false
    const api = await prepare((request) => {
      if (request.toolResponses === 0) return attempts.shift() ?? agent(request)
      hung = true
      return { hang: true }
    })
    const handle = await build({ agentAttempts: 2 })
    await until('the second attempt is at work', () => hung || undefined, waiting)
    await worker?.stop('SIGKILL')
    startWorker(api)
    const spent = 2 * (fakeUsage.prompt + fakeUsage.candidates + fakeUsage.thoughts)
    expect(await failureOf(handle)).toMatchObject({ errorType: 'AGENT_LOST', totalTokens: spent })
    expect(entriesOf(handle)).toEqual([
      {
        ...FAILED,
        workflow_run_id: handle.firstExecutionRunId,
        step_name: 'scaffold',
        instruction_version: 'scaffold-1',
        validation_error_type: 'AGENT_LOST',
        files_touched: ['eslint.config.js', 'src/sum.test.js'],
        prompt_token_count: 2 * fakeUsage.prompt,
        cached_token_count: 2 * fakeUsage.cached,
        completion_token_count: 2 * (fakeUsage.candidates + fakeUsage.thoughts),
        total_token_cost: spent,
        estimated_fields: expect.arrayContaining(['prompt_token_count', 'cached_token_count']) as string[],
      },
    ])
    await expectNoFaults()
  })

  it('is one build still, and counts nothing twice, after a reset of the workflow', async () => {
    const { requests } = await prepare(scriptedAgent([SOUND]))
    const handle = await build()
    await handle.result()
    const asked = requests.length
    const logged = await scheduled(handle, 'logAuditEntry')
    const { client } = temporal as TestWorkflowEnvironment
    // Just before the second step is logged: its result stands, the verification is taken again.
    await client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: handle.workflowId, runId: handle.firstExecutionRunId },
      workflowTaskFinishEventId: logged[1]?.workflowTaskCompletedEventId ?? null,
      requestId: 'reset',
      reason: 'test',
    })
    const again = await client.workflow.getHandle(handle.workflowId).result()
    expect(again).toMatchObject({
      workflowRunId: handle.firstExecutionRunId,
      totalTokens: 2 * (RUN_PROMPT + RUN_COMPLETION),
    })
    expect(requests).toHaveLength(asked)
    const runs = new Set(entriesOf(handle).map((entry) => entry['workflow_run_id']))
    expect([...runs]).toEqual([handle.firstExecutionRunId])
    expect(stepsOf(handle)).toEqual([
      'scaffold',
      'implement_v1',
      'initial_verification',
      'initial_verification',
    ])
    await expectNoFaults()
    await expectDaemonAgrees(handle, 'first_pass')
  })

  it('ends the agent when the build is cancelled, and logs what it had cost', async () => {
    const agent = scriptedAgent([SOUND])
    const { requests } = await prepare((request) =>
      implementing(request) && request.toolResponses > 0 ? { hang: true } : agent(request),
    )
    const handle = await build()
    const hangs = (request: ModelRequest): boolean => implementing(request) && request.toolResponses > 0
    await until('the agent implements', () => requests.find(hangs), waiting)
    await handle.cancel()
    expect(await causeOf(handle)).toBeInstanceOf(CancelledFailure)
    expect(entriesOf(handle)).toMatchObject([
      { step_name: 'scaffold' },
      {
        step_name: 'implement_v1',
        validation_error_type: 'AGENT_CANCELLED',
        prompt_token_count: fakeUsage.prompt,
        completion_token_count: fakeUsage.candidates + fakeUsage.thoughts,
        files_touched: ['src/sum.js'],
        duration_ms: expect.any(Number) as number,
      },
    ])
    await expectNoFaults()
  })

  it.each([
    ['killed', 'SIGKILL'],
    ['shut down', 'SIGTERM'],
  ] as const)(
    'goes on after its worker was %s in the middle, with each step in the trace once',
    async (_, signal) => {
      const agent = scriptedAgent([SOUND])
      let hung = false
      const api = await prepare((request) => {
        if (!implementing(request) || hung) return agent(request)
        hung = true
        return { hang: true }
      })
      const handle = await build()
      await until('the agent implements', () => hung || undefined, waiting)
      await worker?.stop(signal)
      startWorker(api)
      expect(await handle.result()).toMatchObject({ outcome: 'first_pass' })
      expect(stepsOf(handle)).toEqual(['scaffold', 'implement_v1', 'initial_verification'])
      await expectNoFaults()
      await expectDaemonAgrees(handle, 'first_pass')
    },
  )
})
