import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startDaemon, type Daemon } from './setup/daemon.ts'
import { entry, lines } from './setup/entries.ts'
import { temporaryDirectory } from './setup/exporter.ts'
import { start, until } from './setup/process.ts'
import { skipTest } from './setup/programs.ts'

const MAIN = path.resolve(import.meta.dirname, '../src/main.ts')

async function startWithTrace(): Promise<Daemon> {
  const directory = temporaryDirectory()
  const trace = path.join(directory, 'audit_trace.jsonl')
  writeFileSync(trace, lines(entry()))
  const daemon = await startDaemon({ roots: [trace], state: path.join(directory, 'state') })
  await daemon.ready()
  return daemon
}

const logged = (daemon: Daemon, event: string) =>
  until(`the daemon logs ${event}`, () => daemon.log().find((line) => line['event'] === event), {
    detail: daemon.output,
  })

/** Preloaded by Node.js: sends the process a signal as soon as it loads the given module. */
const signalWhileLoading = (signal: string, module: string): string =>
  `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from 'node:module'
    registerHooks({
      load(url, context, next) {
        if (url.endsWith('${module}')) process.kill(process.pid, '${signal}')
        return next(url, context)
      },
    })`)}`

test('SIGTERM ends the daemon with 0, and everything that was read is committed', async () => {
  const daemon = await startWithTrace()
  expect(await daemon.stop('SIGTERM')).toBe(0)
  expect(daemon.log().slice(-2)).toMatchObject([
    { event: 'stopping', signal: 'SIGTERM' },
    { event: 'stopped' },
  ])
})

test.each(['/src/process.ts', '/src/log.ts', '/src/state/store.ts'])(
  'SIGTERM while %s is loading ends the daemon with 0, before it touches anything',
  async (module) => {
    const directory = temporaryDirectory()
    const state = path.join(directory, 'state')
    const running = start(process.execPath, [
      '--import',
      signalWhileLoading('SIGTERM', module),
      MAIN,
      'watch',
      directory,
      '--state',
      state,
    ])
    await once(running.child, 'close')
    expect([running.child.exitCode, running.child.signalCode]).toEqual([0, null])
    expect(existsSync(state)).toBe(false)
  },
)

test('SIGTERM ends check with 1, as it has not validated everything', async () => {
  const directory = temporaryDirectory()
  writeFileSync(path.join(directory, 'audit_trace.jsonl'), lines(entry()))
  const preload = signalWhileLoading('SIGTERM', '/src/commands/check.ts')
  const running = start(process.execPath, ['--import', preload, MAIN, 'check', directory])
  await once(running.child, 'close')
  expect([running.child.exitCode, running.child.signalCode]).toEqual([1, null])
  expect(running.output()).not.toContain('0 faults')
})

test('a reader of the output that ends first, as head does, ends the command without a stack trace', async () => {
  const directory = temporaryDirectory()
  writeFileSync(path.join(directory, 'audit_trace.jsonl'), 'not JSON\n'.repeat(100_000))
  const child = spawn(process.execPath, [MAIN, 'check', directory], { stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  child.stdout.once('data', () => child.stdout.destroy())
  await once(child, 'exit')
  expect([child.exitCode, errors]).toEqual([1, ''])
})

test('a second signal ends the daemon at once, with 1', async () => {
  const daemon = await startWithTrace()
  // A request that never ends keeps the server, and so the daemon, from closing at once.
  const client = net.connect(Number(new URL(daemon.url).port), '127.0.0.1')
  client.on('error', () => undefined)
  await once(client, 'connect')
  client.write('GET /metrics HTTP/1.1\r\nx-slow: ')
  // An answer to a later request shows that the server has taken the connection.
  await daemon.ready()
  daemon.child.kill('SIGTERM')
  await logged(daemon, 'stopping')
  // Until it is taken for another one: two signals at the same time count as one.
  const code = await until('the daemon ends', () => {
    daemon.child.kill('SIGTERM')
    return daemon.child.exitCode ?? undefined
  })
  expect(code).toBe(1)
  expect(daemon.log().at(-1)).toMatchObject({ event: 'stopping' })
  client.destroy()
})

test('Ctrl-C under npm, which arrives twice, ends the daemon with 0', async () => {
  const daemon = await startWithTrace()
  daemon.child.kill('SIGINT')
  daemon.child.kill('SIGINT')
  expect(await daemon.stop('SIGINT')).toBe(0)
  expect(daemon.log().at(-1)).toMatchObject({ event: 'stopped' })
})

test('SIGHUP scans everything again, SIGUSR1 opens no debugger, and the daemon goes on', async () => {
  const daemon = await startWithTrace()
  daemon.child.kill('SIGUSR1')
  daemon.child.kill('SIGHUP')
  await logged(daemon, 'rescan_requested')
  await daemon.ready()
  expect(await daemon.stop('SIGTERM')).toBe(0)
  expect(daemon.output()).not.toContain('Debugger')
})

test('SIGHUP ends other commands, as when their terminal is closed', async () => {
  const running = start(process.execPath, [MAIN, 'simulate', path.join(temporaryDirectory(), 'builds')])
  await until('the simulation has started', () => running.output().includes('"directory"') || undefined)
  expect(await running.stop('SIGHUP')).toBe(0)
})

test("the system's limit of watches is told once, with the remedy, and what is written there is still counted", async () => {
  const directory = temporaryDirectory()
  const builds = path.join(directory, 'builds')
  for (let build = 0; build < 60; build++) mkdirSync(path.join(builds, String(build)), { recursive: true })
  // The limit of a user namespace of its own.
  const limited = 'echo 20 > /proc/sys/user/max_inotify_watches && exec "$@"'
  const unshare = ['--user', '--map-root-user', 'sh', '-c', limited, 'sh']
  if (spawnSync('unshare', [...unshare, 'true']).status !== 0)
    skipTest('needs a user namespace, which this machine refuses')
  const daemon = await startDaemon({
    roots: [builds],
    state: path.join(directory, 'state'),
    args: ['--scan-interval', '1s'],
    runner: ['unshare', ...unshare],
  })
  await daemon.ready()
  for (let build = 0; build < 60; build++) {
    const trace = path.join(builds, String(build), 'audit_trace.jsonl')
    writeFileSync(trace, lines(entry({ workflow_run_id: `run-${build}` })))
  }
  await until('every line is counted', async () => {
    const counted = [...(await daemon.scrape())].filter(([series]) =>
      series.startsWith('audit_entries_total{'),
    )
    return counted.reduce((sum, [, value]) => sum + value, 0) === 60 || undefined
  })
  const warnings = daemon.log().filter(({ event }) => event === 'watch_limit' || event === 'file_failed')
  expect(warnings).toHaveLength(1)
  expect(warnings[0]?.['msg']).toContain('fs.inotify.max_user_watches')
})
