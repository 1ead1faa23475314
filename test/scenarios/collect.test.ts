import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client'
import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { Worker } from '@temporalio/worker'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { check } from '../../src/commands/check.ts'
import {
  collectFromClient,
  createAuditedBuildActivities,
  createOptimizationActivities,
  renderReport,
  type OptimizationInput,
  type OptimizationResult,
} from '../../src/exports/temporal.ts'
import { appendAuditEntry } from '../../src/capture/trace/log-audit-entry.ts'
import { finish, type LoggingInput, type LoggingWorkflow } from '../setup/logging-workflow.ts'
import { until } from '../setup/process.ts'
import { startTemporal } from '../setup/temporal.ts'

// A real Temporal server whose workflows log their steps; then their directories are removed.

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts')
const TASK_QUEUE = 'logging'

let temporal: TestWorkflowEnvironment | undefined
let worker: Worker | undefined
let running: Promise<void> | undefined
let dir = ''
let count = 0

beforeAll(async () => {
  temporal = await startTemporal()
  worker = await Worker.create({
    connection: temporal.nativeConnection,
    taskQueue: TASK_QUEUE,
    workflowsPath: path.resolve(import.meta.dirname, '../setup/logging-workflow.ts'),
    activities: {
      ...createAuditedBuildActivities({ env: {} }),
      ...createOptimizationActivities({
        renderReport,
        collect: ({ query, dir: out }) => collectFromClient(temporal!.client, { query, out }),
      }),
      appendAuditEntry,
    },
  })
  running = worker.run()
})
afterAll(async () => {
  worker?.shutdown()
  await running
  await temporal?.teardown()
})
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'collect-'))
  count++
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const workflowId = (name = 'build'): string => `${name}/${String(count)}`
const collected = (): string => path.join(dir, 'collected')

async function startBuild(
  input: Partial<LoggingInput> = {},
  name?: string,
): Promise<WorkflowHandleWithFirstExecutionRunId<typeof LoggingWorkflow>> {
  const workingDir = path.join(dir, `build-${name ?? ''}`)
  mkdirSync(workingDir, { recursive: true })
  return temporal!.client.workflow.start<typeof LoggingWorkflow>('LoggingWorkflow', {
    taskQueue: TASK_QUEUE,
    workflowId: workflowId(name),
    args: [{ workingDir, ...input }],
  })
}

const traceOf = (name = ''): string =>
  readFileSync(path.join(dir, `build-${name}`, 'audit_trace.jsonl'), 'utf8')
const removeBuild = (name = ''): void => rmSync(path.join(dir, `build-${name}`), { recursive: true })

/** Waits until the server's list of workflows has this many runs, all of them closed. */
async function listed(closed: number, name?: string): Promise<void> {
  const query = `WorkflowId="${workflowId(name)}" AND ExecutionStatus!="Running"`
  await until('the runs are listed', async () => {
    const { count } = await temporal!.client.workflow.count(query)
    return count >= closed || undefined
  })
}

interface Ended {
  readonly code: number
  readonly output: string
}

async function collect(query: string, ...more: readonly string[]): Promise<Ended> {
  const args = ['--temporal-address', temporal!.address, '--query', query, '--out', collected(), ...more]
  const run = spawnSync(process.execPath, [MAIN, 'collect', ...args], {
    encoding: 'utf8',
    env: { ...process.env, AUDIT_LOG_FORMAT: 'json' },
  })
  return { code: run.status ?? -1, output: run.stdout + run.stderr }
}

const thisBuild = (name?: string): string => `WorkflowId="${workflowId(name)}"`

/** The collected traces: path below the directory, and text. */
const traces = (): Map<string, string> =>
  new Map(
    readdirSync(collected(), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.jsonl'))
      .map((file) => [file, readFileSync(path.join(collected(), file), 'utf8')]),
  )

/** Lines as entries; without the timestamp where the workflow gave none, because the server's clock replaces the worker's. */
const entriesOf = (trace: string): unknown[] =>
  trace
    .trimEnd()
    .split('\n')
    .map((line) => {
      const entry = JSON.parse(line) as Record<string, unknown>
      if (entry['step_name'] !== 'initial_verification') delete entry['timestamp']
      return entry
    })

it('rebuilds the trace of runs that continued each other, local activities included, each entry once', async () => {
  const handle = await startBuild({ continuations: 2, local: true })
  await handle.result()
  await listed(3)
  const original = traceOf()
  removeBuild()

  const first = await collect(thisBuild())
  expect(first, first.output).toMatchObject({ code: 0 })
  expect(first.output).toContain(`1 workflow, 3 runs: 9 entries written to ${collected()}`)
  const [[file, text]] = [...traces()] as [[string, string]]
  expect(file).toBe(`build%2F${String(count)}/${handle.firstExecutionRunId}/audit_trace.jsonl`)
  expect(entriesOf(text)).toEqual(entriesOf(original))
  const verified = (trace: string): string[] =>
    trace.split('\n').filter((line) => line.includes('verification'))
  expect(verified(text), 'to the byte where the time was given').toEqual(verified(original))

  expect((await collect(thisBuild())).output).toContain('0 entries written')
  expect(traces().get(file)).toBe(text)
  expect(
    (
      await check(
        {
          paths: [collected()],
          fileName: 'audit_trace.jsonl',
          maxLineBytes: 1e6,
          followSymlinks: false,
          strict: true,
        },
        (line) => expect.unreachable(line),
      )
    ).lines,
  ).toBe(9)

  // A writer was killed in the middle of the last line.
  truncateSync(path.join(collected(), file), Buffer.byteLength(text) - 40)
  expect((await collect(thisBuild())).output).toContain('1 entry written')
  expect(traces().get(file)).toBe(text)
})

it('a run that was reset has what its base logged, before and after that point, and what it logged itself', async () => {
  const { client } = temporal!
  const handle = await startBuild({ waits: true })
  await until(
    'the first step is logged',
    () => existsSync(path.join(dir, 'build-', 'audit_trace.jsonl')) || undefined,
  )
  await handle.signal(finish)
  await handle.result()
  const { events } = await handle.fetchHistory()
  // The workflow task after the first activity.
  const first = events!.findIndex(({ activityTaskCompletedEventAttributes: end }) => end)
  const task = events!.slice(first).find(({ workflowTaskCompletedEventAttributes: end }) => end)!
  const { runId } = await client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: workflowId(), runId: handle.firstExecutionRunId },
    reason: 'a test',
    workflowTaskFinishEventId: task.eventId!,
    requestId: randomUUID(),
  })
  await client.workflow.getHandle(workflowId(), runId).result()
  await listed(2)
  const original = traceOf()
  expect(entriesOf(original)).toHaveLength(3)
  removeBuild()

  const both = await collect(thisBuild())
  expect(both, both.output).toMatchObject({ code: 0 })
  expect(both.output).toContain('1 workflow, 2 runs: 3 entries written')
  expect([...traces().values()].map(entriesOf)).toEqual([entriesOf(original)])

  rmSync(collected(), { recursive: true })
  await collect(`${thisBuild()} AND RunId="${runId}"`)
  expect([...traces().values()].map(entriesOf), 'the base comes with the run').toEqual([entriesOf(original)])
})

it('a trace that still exists is left out unless all are asked for', async () => {
  const handle = await startBuild()
  await handle.result()
  await listed(1)
  const some = await collect(thisBuild())
  expect(some.code).toBe(0)
  expect(some.output).toContain('0 entries written')
  expect(some.output).toContain('2 were left out, because the trace still exists (--all)')
  expect(traces().size).toBe(0)
  expect((await collect(thisBuild(), '--all')).output).toContain('2 entries written')
})

it('a query that matches nothing is told, and one that the server refuses fails with its reason', async () => {
  expect(await collect('WorkflowType="nobody"')).toMatchObject({
    code: 0,
    output: expect.stringContaining('No workflow matches the query.') as string,
  })
  const refused = await collect('WorkflowTyp="x"')
  expect(refused.code).toBe(1)
  expect(refused.output).toMatch(/the server cannot list the workflows of .*WorkflowTyp/)
})

it('the scheduled workflow reports on what it collects, each time it runs', async () => {
  await (await startBuild()).result()
  await listed(1)
  removeBuild()
  mkdirSync(path.join(dir, 'builds'))
  const input: OptimizationInput = {
    roots: [path.join(dir, 'builds')],
    reportDir: path.join(dir, 'reports'),
    format: 'json',
    collect: { query: thisBuild(), dir: collected() },
  }
  const run = (attempt: string): Promise<OptimizationResult> =>
    temporal!.client.workflow.execute<(input: OptimizationInput) => Promise<OptimizationResult>>(
      'OptimizationWorkflow',
      { taskQueue: TASK_QUEUE, workflowId: workflowId(`report-${attempt}`), args: [input] },
    )
  const first = await run('first')
  expect(first).toMatchObject({
    tracesRead: 1,
    collected: { workflows: 1, written: 2, present: 0, missing: 0 },
  })
  expect(JSON.parse(readFileSync(first.reportFile, 'utf8'))).toMatchObject({
    input: { files: 1, entries: 2 },
  })
  expect(await run('second')).toMatchObject({ collected: { written: 0, present: 2 } })
})
