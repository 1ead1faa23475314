import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import {
  createAuditedBuildActivities,
  createAuditWorker,
  createOptimizationActivities,
  renderReport,
  type OptimizationInput,
  type OptimizationResult,
} from '../../src/exports/temporal.ts'
import { corpusLines } from '../../src/simulate/corpus.ts'
import { expectAlmostEqual } from '../audits/report-setup.ts'
import { start, until, type Started } from '../setup/process.ts'
import { startTemporal } from '../setup/temporal.ts'

// A real Temporal server and workers in processes of their own, which share a directory.

const RUN_WORKER = path.resolve(import.meta.dirname, '../setup/run-worker.ts')
const SHARDS = 6

let temporal: TestWorkflowEnvironment | undefined
let dir = ''
beforeAll(async () => {
  temporal = await startTemporal()
})
afterAll(async () => temporal?.teardown())
beforeEach(() => void (dir = mkdtempSync(path.join(tmpdir(), 'audit-shards-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const traces = (): string[] =>
  Array.from({ length: 24 }, (_, build) => path.join(dir, `builds/${String(build)}/audit_trace.jsonl`))

/** Adds builds to the traces, in turn. */
function write(seed: string, startMs: number, builds = 2_400): void {
  const files = traces()
  const texts = files.map((file) => {
    mkdirSync(path.dirname(file), { recursive: true })
    return [] as string[]
  })
  for (const { text, file } of corpusLines({
    seed,
    size: { builds },
    startMs,
    spanMs: 86_400_000,
    files: files.length,
  }))
    texts[file]!.push(text)
  for (const [index, file] of files.entries()) appendFileSync(file, texts[index]!.join(''))
}

const startWorker = (taskQueue: string): Started =>
  start(process.execPath, [RUN_WORKER, temporal!.address, taskQueue])

/** What a report says, but for the time at which it was made. */
function said(text: string): unknown {
  const { generated_at: _, ...rest } = JSON.parse(text) as Record<string, unknown>
  return rest
}

const input = (): OptimizationInput => ({
  roots: [path.join(dir, 'builds')],
  reportDir: path.join(dir, 'reports'),
  format: 'json',
  shards: { count: SHARDS, dir: path.join(dir, 'rows') },
  heartbeatTimeoutMs: 10_000,
})

const begin = (workflowId: string, taskQueue: string, given = input()) =>
  temporal!.client.workflow.start<(input: OptimizationInput) => Promise<OptimizationResult>>(
    'OptimizationWorkflow',
    {
      taskQueue,
      workflowId,
      args: [given],
    },
  )

it('three workers of which one is killed report the same as one process that reads everything, and again when the traces have grown', async () => {
  write('first', Date.UTC(2026, 10, 1))
  const killed = startWorker('shards')
  const handle = await begin('shards', 'shards')
  const begun = (shard: number): boolean =>
    existsSync(path.join(dir, `rows/of-${String(SHARDS)}/${String(shard)}/state`))
  await until(
    'the first worker has begun some shards',
    () => Array.from({ length: SHARDS }, (_, shard) => shard).some(begun) || undefined,
    { detail: killed.output },
  )
  await killed.stop('SIGKILL')
  startWorker('shards')
  startWorker('shards')
  const result = await handle.result()
  const { events } = await handle.fetchHistory()
  const attempts = events!.flatMap(({ activityTaskStartedEventAttributes: begun }) => begun?.attempt ?? [])
  expect(Math.max(...attempts), 'an attempt died with its worker').toBeGreaterThan(1)
  const stop = new AbortController().signal
  expect(result.tracesRead).toBe(24)
  expectAlmostEqual(
    said(readFileSync(result.reportFile, 'utf8')),
    said(await renderReport(traces(), 'json', stop)),
  )

  write('second', Date.UTC(2026, 10, 3))
  const again = await (await begin('again', 'shards')).result()
  expectAlmostEqual(
    said(readFileSync(again.reportFile, 'utf8')),
    said(await renderReport(traces(), 'json', stop)),
  )
})

it('more shards than fit a history are continued as new, each once, under the name of the first run', async () => {
  const count = 1_100
  const updated: string[] = []
  const worker = await createAuditWorker({
    connection: temporal!.nativeConnection,
    taskQueue: 'many',
    maxConcurrentActivities: 100,
    activities: {
      ...createAuditedBuildActivities({ env: {} }),
      ...createOptimizationActivities({
        renderReport: () => Promise.reject(new Error('not asked for here')),
        rows: {
          async update(own, directory) {
            mkdirSync(directory, { recursive: true })
            updated.push(...own)
          },
          render: (directories) => Promise.resolve(`${String(directories.length)} shards`),
        },
      }),
    },
  })
  write('many', Date.UTC(2026, 10, 1), 24)
  const { shards, ...rest } = input()
  const result = await worker.runUntil(async () => {
    const handle = await begin('many', 'many', { ...rest, shards: { count, dir: shards!.dir } })
    const ended = await handle.result()
    const { runId } = await temporal!.client.workflow.getHandle('many').describe()
    expect(runId, 'it was continued as new').not.toBe(handle.firstExecutionRunId)
    return ended
  })
  expect(result.tracesRead).toBe(24)
  expect(updated.toSorted()).toEqual(traces().toSorted())
  expect(readFileSync(result.reportFile, 'utf8')).toMatch(/^\d+ shards$/)
})

it('a worker that cannot write rows says so', async () => {
  const { updateShard } = createOptimizationActivities({ renderReport: () => Promise.resolve('') })
  await expect(updateShard({ roots: [dir], dir, shard: 0, count: 1 })).rejects.toThrow(/pass `rows`/)
})
