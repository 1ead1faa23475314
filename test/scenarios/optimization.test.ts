import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import http2 from 'node:http2'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import {
  createAuditedBuildActivities,
  createOptimizationActivities,
  renderReport,
} from '../../src/exports/temporal.ts'
import { ensureOptimizationSchedule } from '../../src/capture/temporal/schedule.ts'
import type { OptimizationInput, OptimizationResult } from '../../src/capture/temporal/types.ts'
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
  const left = path.join(reports(), 'optimization-2026-10-03T06-00-00-000Z.md.part')
  writeFileSync(left, 'a worker was killed')
  utimesSync(left, 0, 0)
  writeFileSync(path.join(reports(), 'optimization-2026-10-04T06-00-00-000Z.md.part'), 'being written')

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
    'optimization-2026-10-04T06-00-00-000Z.md.part',
    path.basename(result.reportFile),
  ])
})

it('reports over more traces than could be named in a result of an activity', async () => {
  const { client, nativeConnection } = temporal as TestWorkflowEnvironment
  // 800 names of 3,000 characters are more than the 2 MB that Temporal takes.
  const deep = Array.from({ length: 14 }, () => 'x'.repeat(200)).join('/')
  for (let i = 0; i < 800; i++) writeTrace(`${deep}/${String(i)}`)
  const worker = await createAuditWorker({
    connection: nativeConnection,
    taskQueue: 'many',
    activities: {
      ...createAuditedBuildActivities({ env: {} }),
      ...createOptimizationActivities({ renderReport }),
    },
  })
  const input: OptimizationInput = { roots: [builds()], reportDir: reports(), format: 'json' }
  const result = (await worker.runUntil(
    client.workflow.execute('OptimizationWorkflow', { taskQueue: 'many', workflowId: 'many', args: [input] }),
  )) as OptimizationResult
  expect(result.tracesRead).toBe(800)
  expect(JSON.parse(readFileSync(result.reportFile, 'utf8'))).toMatchObject({ input: { files: 800 } })
})

const request = (roots: readonly string[]) => ({
  roots,
  reportDir: reports(),
  format: 'json' as const,
  name: 'now',
})

it('before the first build a report is empty, as the package renders it', async () => {
  mkdirSync(builds())
  const { reportFile, tracesRead } = await createOptimizationActivities({ renderReport }).writeReport(
    request([builds()]),
  )
  expect(tracesRead).toBe(0)
  expect(JSON.parse(readFileSync(reportFile, 'utf8'))).toMatchObject({ input: { files: 0 } })
})

it('a report over several roots fails if one is missing', async () => {
  const activities = createOptimizationActivities({ renderReport: () => Promise.resolve('') })
  writeTrace('one')
  await expect(activities.writeReport(request([builds(), path.join(dir, 'gone')]))).rejects.toThrow(
    /gone does not exist/,
  )
  expect(existsSync(reports())).toBe(false)
})

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts')

it('the worker command schedules a report over the roots of its variable, wherever it was started', async () => {
  const { address, client } = temporal as TestWorkflowEnvironment
  const env = { AUDIT_REPORT_ROOTS: `builds${path.delimiter}/more builds`, AUDIT_REPORT_DIR: 'reports' }
  const worker = start(process.execPath, [MAIN, 'worker', '--address', address, '--task-queue', 'q'], env)
  await until('the worker polls', () => /"event":"worker_started"/.exec(worker.output()) ?? undefined, {
    detail: worker.output,
  })
  const handle = client.schedule.getHandle('audit-optimization')
  const { action } = await handle.describe()
  await handle.delete()
  expect(action).toMatchObject({
    args: [{ roots: [path.resolve('builds'), '/more builds'], reportDir: path.resolve('reports') }],
  })
})

it('the worker command polls until SIGTERM, and ends with 0', async () => {
  const { address } = temporal as TestWorkflowEnvironment
  const worker = start(process.execPath, [MAIN, 'worker', '--address', address, '--task-queue', 'q'])
  await until('the worker polls', () => /"event":"worker_started"/.exec(worker.output()) ?? undefined, {
    detail: worker.output,
  })
  expect(await worker.stop('SIGTERM')).toBe(0)
  expect(worker.output()).toContain('"event":"worker_stopped"')
})

/** A certificate for 127.0.0.1 that vouches for itself, and its key. */
function makeCertificate(): { cert: string; key: string } {
  const cert = path.join(dir, 'cert.pem')
  const key = path.join(dir, 'key.pem')
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  // Temporal's client takes no authority for a server.
  const subject = [...names, '-addext', 'basicConstraints=critical,CA:FALSE']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject, '-out', cert, '-keyout', key],
    { stdio: 'ignore' },
  )
  return { cert, key }
}

async function listen(server: net.Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${String((server.address() as net.AddressInfo).port)}`
}

it('the worker command reaches a server that asks for a certificate', async () => {
  const { address } = temporal as TestWorkflowEnvironment
  const { cert, key } = makeCertificate()
  const identity = { cert: readFileSync(cert), key: readFileSync(key), ca: readFileSync(cert) }
  // Only who shows the certificate gets through to Temporal.
  const [host = '', port] = address.split(':')
  const door = tls.createServer(
    { ...identity, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ['h2'] },
    (client) => {
      const server = net.connect(Number(port), host)
      for (const socket of [client, server]) socket.on('error', () => undefined)
      client.pipe(server).pipe(client)
    },
  )
  const flags = ['--address', await listen(door), '--tls-ca', cert, '--tls-cert', cert, '--tls-key', key]
  const report = ['--report-roots', builds(), '--report-dir', reports()]
  const worker = start(process.execPath, [MAIN, 'worker', ...flags, '--task-queue', 'q', ...report])
  await until('the worker polls', () => /"event":"worker_started"/.exec(worker.output()) ?? undefined, {
    detail: worker.output,
  })
  await worker.stop('SIGKILL')
  door.close()
})

it('the worker command sends its API key to the server, over TLS by default', async () => {
  const { cert, key } = makeCertificate()
  const shown: unknown[] = []
  const server = http2.createSecureServer({ cert: readFileSync(cert), key: readFileSync(key) })
  server.on('stream', (stream, headers) => {
    shown.push(headers.authorization)
    const grpc = { 'content-type': 'application/grpc', 'grpc-status': '16', 'grpc-message': 'no' }
    stream.respond({ ':status': 200, ...grpc }, { endStream: true })
  })
  const flags = ['--address', await listen(server), '--tls-ca', cert]
  const worker = start(process.execPath, [MAIN, 'worker', ...flags], { AUDIT_TEMPORAL_API_KEY: 'a-key' })
  await until('it has asked', () => shown[0], { detail: worker.output })
  expect(shown[0]).toBe('Bearer a-key')
  await worker.stop('SIGKILL')
  server.close()
})

it.each([
  [['--address', 'nowhere'], 2, '--address: "nowhere" is not host:port'],
  [['--address', '127.0.0.1:99999'], 2, '--address: "127.0.0.1:99999" is not host:port'],
  [['--address', '[::1]:1'], 1, 'Cannot reach the Temporal server at [::1]:1'],
  [['--report-dir', '/x'], 2, '--report-dir: needs --report-roots'],
  [['--report-cron', '0 7 * * *'], 2, '--report-cron: needs --report-roots'],
  [['--report-rows', '/x'], 2, '--report-rows: needs --report-shards'],
  [['--report-collect', 'q'], 2, '--report-collect: needs --report-collect-dir'],
  [['--tls-cert', 'a.pem'], 2, '--tls-cert: needs --tls-key'],
  [['--tls-ca', 'no-such.pem'], 2, '--tls-ca: cannot read no-such.pem'],
  [['--prices', import.meta.filename], 2, 'optimization.test.ts'],
  [['--report-roots', '/x'], 2, '--report-dir'],
  [['--address', '127.0.0.1:1'], 1, 'Cannot reach the Temporal server at 127.0.0.1:1'],
])('the worker command says what is wrong: %s', async (flags, code, message) => {
  const worker = start(process.execPath, [MAIN, 'worker', ...flags])
  await until('it ends', () => worker.child.exitCode ?? undefined)
  expect(await worker.stop()).toBe(code)
  expect(worker.output()).toContain(message)
})
