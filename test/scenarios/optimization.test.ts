import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import { createAuditedBuildActivities } from '../../src/capture/temporal/activities.ts'
import { createOptimizationActivities } from '../../src/capture/temporal/optimization-activities.ts'
import { ensureOptimizationSchedule } from '../../src/capture/temporal/schedule.ts'
import type { OptimizationResult } from '../../src/capture/temporal/types.ts'
import { createAuditWorker } from '../../src/capture/temporal/worker.ts'
import { start, until } from '../setup/process.ts'
import { startTemporal } from '../setup/temporal.ts'

let temporal: TestWorkflowEnvironment | undefined
let dir = ''
beforeEach(async () => {
  temporal ??= await startTemporal()
  dir = mkdtempSync(path.join(tmpdir(), 'audit-report-'))
})
afterAll(async () => temporal?.teardown())
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const builds = (): string => path.join(dir, 'builds')
const reports = (): string => path.join(dir, 'reports')

function writeTrace(build: string): string {
  const file = path.join(builds(), build, 'audit_trace.jsonl')
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, '{"workflow_run_id":"a","step_name":"scaffold","timestamp":"2026-11-01T10:00:00Z"}\n')
  return file
}

it('a schedule reports over all traces, daily at six, and keeps the last reports', async () => {
  const { client, nativeConnection } = temporal as TestWorkflowEnvironment
  const traces = [writeTrace('one'), writeTrace('deep/er/two')]
  mkdirSync(reports())
  for (const name of ['optimization-2026-10-01T06-00-00-000Z.md', 'optimization-2026-10-02T06-00-00-000Z.md'])
    writeFileSync(path.join(reports(), name), 'old')
  writeFileSync(path.join(reports(), 'notes.md'), 'somebody else keeps these here')

  const seen: (readonly string[])[] = []
  const worker = await createAuditWorker({
    connection: nativeConnection,
    taskQueue: 'reports',
    activities: {
      ...createAuditedBuildActivities({ env: {} }),
      ...createOptimizationActivities({
        renderReport: (given, format) => {
          seen.push(given)
          return Promise.resolve(`${format}: ${String(given.length)} traces`)
        },
      }),
    },
  })
  const result = await worker.runUntil(async () => {
    const input = { roots: [builds()], reportDir: reports(), keep: 2 }
    await ensureOptimizationSchedule(client, { input: { ...input, keep: 9 }, taskQueue: 'reports' })
    // The second time it is brought up to date.
    const handle = await ensureOptimizationSchedule(client, { input, taskQueue: 'reports' })
    const { spec } = await handle.describe()
    expect(spec.calendars).toMatchObject([{ hour: [{ start: 6 }], minute: [{ start: 0 }] }])
    await handle.trigger()
    const action = await until('the workflow has started', async () => {
      const { info } = await handle.describe()
      return info.recentActions[0]?.action
    })
    await handle.delete()
    const workflowId = action.type === 'startWorkflow' ? action.workflow.workflowId : ''
    return (await client.workflow.getHandle(workflowId).result()) as OptimizationResult
  })

  expect(seen).toEqual([traces.toSorted()])
  expect(readFileSync(result.reportFile, 'utf8')).toBe('markdown: 2 traces')
  expect(result).toMatchObject({ tracesRead: 2, reportsRemoved: 1 })
  expect(readdirSync(reports()).sort()).toEqual([
    'notes.md',
    'optimization-2026-10-02T06-00-00-000Z.md',
    path.basename(result.reportFile),
  ])
})

it('a report over roots of which one is missing is none', async () => {
  const activities = createOptimizationActivities({ renderReport: () => Promise.resolve('') })
  writeTrace('one')
  await expect(activities.gatherTraces([builds(), path.join(dir, 'gone')])).rejects.toThrow(
    /no such directory: .*gone/,
  )
  expect(existsSync(reports())).toBe(false)
})

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts')

it('the worker command polls until SIGTERM, and ends with 0', async () => {
  const { address } = temporal as TestWorkflowEnvironment
  const worker = start(process.execPath, [MAIN, 'worker', '--address', address, '--task-queue', 'q'])
  await until('the worker polls', () => /"event":"worker_started"/.exec(worker.output()) ?? undefined, {
    detail: worker.output,
  })
  expect(await worker.stop('SIGTERM')).toBe(0)
  expect(worker.output()).toContain('"event":"worker_stopped"')
})

it.each([
  [['--address', 'nowhere'], 2, '--address: must be host:port'],
  [['--report-roots', '/x'], 2, '--report-dir'],
  [['--address', '127.0.0.1:1'], 1, 'cannot reach the Temporal server at 127.0.0.1:1'],
])('the worker command says what is wrong: %s', async (flags, code, message) => {
  const worker = start(process.execPath, [MAIN, 'worker', ...flags])
  await until('it ends', () => worker.child.exitCode ?? undefined)
  expect(await worker.stop()).toBe(code)
  expect(worker.output()).toContain(message)
})
