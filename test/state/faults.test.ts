import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, test } from 'vitest'
import { openStore } from '../../src/state/store.ts'
import { startDaemon } from '../setup/daemon.ts'
import { createEngineWorld, type EngineWorld } from '../setup/engine.ts'
import { seriesKey } from '../setup/exposition.ts'
import { start, until } from '../setup/process.ts'
import { requireProgram, skipTest } from '../setup/programs.ts'

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts')
const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})

function temporary(): string {
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'state-'))
  stops.push(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}

const entry = (step: string): string =>
  `${JSON.stringify({ workflow_run_id: step, step_name: step, timestamp: new Date().toISOString() })}\n`

const stepKey = (step: string, phase = 'other'): string =>
  seriesKey('audit_entries_total', { step, phase, status: 'N/A', error_type: '', context_hash: 'unknown' })

/** What the exporter says when it does not start, and its exit code. */
async function refusal(root: string, state: string): Promise<{ code: unknown; output: string }> {
  const running = start(process.execPath, [MAIN, 'watch', root, '--listen', '127.0.0.1:0', '--state', state])
  stops.push(() => running.stop('SIGKILL'))
  await until('the exporter ends', () => running.child.exitCode ?? undefined, { detail: running.output })
  return { code: await running.stop(), output: running.output() }
}

describe('a state that cannot be used is refused at the start, and not changed', () => {
  test('a damaged database', async () => {
    const [root, state] = [temporary(), temporary()]
    const file = path.join(state, 'state.sqlite')
    const garbage = Buffer.alloc(8_192, 'not a database ')
    fs.writeFileSync(file, garbage)
    const { code, output } = await refusal(root, state)
    expect(code).toBe(1)
    expect(output).toContain('it is damaged')
    expect(output).toContain(file)
    expect(fs.readFileSync(file)).toEqual(garbage)
  })

  test('a database with a page overwritten', async () => {
    const [root, state] = [temporary(), temporary()]
    openStore(state).close()
    const file = path.join(state, 'state.sqlite')
    const bytes = fs.readFileSync(file)
    bytes.fill(0x5a, 4_096, 3 * 4_096)
    fs.writeFileSync(file, bytes)
    const { code, output } = await refusal(root, state)
    expect(code).toBe(1)
    expect(output).toContain('it is damaged')
    expect(fs.readFileSync(file)).toEqual(bytes)
  })

  test('a database of a newer version', async () => {
    const [root, state] = [temporary(), temporary()]
    openStore(state).close()
    const file = path.join(state, 'state.sqlite')
    const database = new DatabaseSync(file)
    database.exec('PRAGMA user_version = 99')
    database.close()
    const { code, output } = await refusal(root, state)
    expect(code).toBe(1)
    expect(output).toMatch(/format 99 is newer/u)
    const again = new DatabaseSync(file)
    expect(again.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 })
    again.close()
  })

  test('a state that another exporter is using; that exporter continues', async () => {
    const [root, state] = [temporary(), temporary()]
    const daemon = await startDaemon({ roots: [root], state })
    stops.push(() => daemon.stop('SIGKILL'))
    await daemon.ready()
    const { code, output } = await refusal(root, state)
    expect(code).toBe(1)
    expect(output).toContain('another process is using it')
    expect((await daemon.scrape()).size).toBeGreaterThan(0)
    // Its lock goes with it, even after a kill.
    await daemon.stop('SIGKILL')
    const next = await startDaemon({ roots: [root], state })
    stops.push(() => next.stop('SIGKILL'))
    await next.ready()
  })

  test('a file where the directory should be', async () => {
    const [root, state] = [temporary(), path.join(temporary(), 'state')]
    fs.writeFileSync(state, 'mine')
    const { code, output } = await refusal(root, state)
    expect(code).toBe(1)
    expect(output).toContain(state)
    expect(fs.readFileSync(state, 'utf8')).toBe('mine')
  })

  test('a read-only directory', async () => {
    const [root, state] = [temporary(), mounted('size=1m,ro')]
    const { code, output } = await refusal(root, state)
    expect(code).toBe(1)
    expect(output).toContain(state)
    expect(output).toMatch(/writable/u)
  })
})

/** A small file system of its own; root cannot be kept out of a directory in another way. */
function mounted(options: string): string {
  const directory = temporary()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'pipe' })
  } catch (error) {
    return skipTest(`needs to mount a tmpfs: ${String(error)}`)
  }
  stops.push(() => execFileSync('umount', [directory]))
  return directory
}

test('on a full disk the last committed values stay; reading stops, and continues when there is space', async () => {
  const state = mounted('size=1m')
  const root = temporary()
  const trace = path.join(root, 'audit_trace.jsonl')
  fs.writeFileSync(trace, entry('first'))
  const daemon = await startDaemon({ roots: [root], state, args: ['--max-steps', '100000'] })
  stops.push(() => daemon.stop('SIGKILL'))
  await daemon.ready()
  const filler = path.join(state, 'filler')
  fs.writeFileSync(filler, '')
  try {
    for (;;) fs.appendFileSync(filler, Buffer.alloc(4_096))
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC')
  }
  // More rows than what is left of the last pages can take.
  const late = Array.from({ length: 500 }, (_, i) => entry(`late-${i}`))
  fs.appendFileSync(trace, late.join(''))
  await until('the exporter says that it cannot write', async () => {
    await daemon.scrape()
    return (await fetch(`${daemon.url}/readyz`)).status === 503 || undefined
  })
  const full = await daemon.scrape()
  expect(full.get(stepKey('first'))).toBe(1)
  expect([...full.keys()].filter((key) => key.includes('late-'))).toEqual([])
  expect(full.get('audit_exporter_state_durable')).toBe(0)
  expect(full.get('audit_exporter_ready')).toBe(0)
  expect(daemon.log().some(({ event, msg }) => event === 'commit_failed' && /full/u.test(String(msg)))).toBe(
    true,
  )

  fs.rmSync(filler)
  await until(
    'the exporter is ready again',
    async () => (await fetch(`${daemon.url}/readyz`)).ok || undefined,
  )
  await until('everything is counted', async () => {
    const scraped = await daemon.scrape()
    return (
      scraped.get('audit_exporter_read_bytes_total{result="counted"}') === fs.statSync(trace).size ||
      undefined
    )
  })
  expect(await daemon.stop('SIGTERM')).toBe(0)
  const again = await startDaemon({ roots: [root], state, args: ['--max-steps', '100000'] })
  stops.push(() => again.stop('SIGKILL'))
  await again.ready()
  const counted = (await again.scrape()).get('audit_exporter_read_bytes_total{result="counted"}')
  expect(counted).toBe(fs.statSync(trace).size)
})

test('a state whose size cannot be read only removes that value from the scrape', async () => {
  const [root, state] = [temporary(), temporary()]
  fs.writeFileSync(path.join(root, 'audit_trace.jsonl'), entry('first'))
  const daemon = await startDaemon({ roots: [root], state })
  stops.push(() => daemon.stop('SIGKILL'))
  await daemon.ready()
  expect((await daemon.scrape()).get('audit_exporter_state_bytes')).toBeGreaterThan(0)
  // To look at it is now an error; the exporter itself has it open.
  const log = path.join(state, 'state.sqlite-wal')
  fs.rmSync(log)
  fs.symlinkSync(log, log)
  const scraped = await daemon.scrape()
  expect(scraped.get(stepKey('first'))).toBe(1)
  expect(scraped.get('audit_exporter_state_durable')).toBe(1)
  expect(scraped.get('audit_exporter_state_bytes')).toBeNaN()
})

test('a state that is removed while it is in use is told of; put back, it goes on', async () => {
  const world = await createEngineWorld()
  const file = path.join(world.exporter.state, 'state.sqlite')
  fs.renameSync(file, `${file}.away`)
  world.append({ step_name: 's' })
  await world.exporter.tail.scan()
  expect(world.exporter.commits.commit()).toBe(false)
  expect(world.exporter.commits.fault()).toContain('was removed or replaced')
  fs.renameSync(`${file}.away`, file)
  expect(world.exporter.commits.commit()).toBe(true)
})

describe('with a store that fails on demand', () => {
  const given = (fails: { now: boolean }): Promise<EngineWorld> =>
    createEngineWorld({
      wrapStore: (store) => ({
        ...store,
        commit(parts) {
          if (fails.now) throw new Error('injected: the disk is full')
          store.commit(parts)
        },
      }),
    })

  test('nothing is shown that is not committed, neither values nor the end of a hold', async () => {
    const fails = { now: false }
    const world = await given(fails)
    const value = async (): Promise<number | undefined> => (await world.scrape()).get(stepKey('s'))
    world.append({ step_name: 's' })
    await world.read()
    expect(await value()).toBe(0)
    world.clock.advance(30_000)
    fails.now = true
    expect(await value()).toBe(0)
    expect(await value()).toBe(0)
    expect(world.exporter.commits.durable()).toBe(false)
    fails.now = false
    expect(await value()).toBe(1)
    expect(world.exporter.commits.durable()).toBe(true)
  })

  test('a failed commit loses nothing of what it held, also over a restart', async () => {
    const fails = { now: false }
    const world = await given(fails)
    world.append({ step_name: 's' }, { step_name: 's' })
    await world.exporter.tail.scan()
    await world.exporter.tail.drain()
    fails.now = true
    world.exporter.commits.commit()
    await world.restart(() => (fails.now = false))
    world.append({ step_name: 's' })
    await world.read()
    await world.scrape()
    world.clock.advance(30_000)
    expect((await world.scrape()).get(stepKey('s'))).toBe(3)
  })

  test('a clock set back neither closes builds early nor loses them', async () => {
    const world = await given({ now: false })
    world.append({ workflow_run_id: 'b', step_name: 'scaffold' })
    await world.read()
    world.clock.jump(-10 * 3_600_000)
    await world.read()
    world.append({ workflow_run_id: 'b', step_name: 'check', validation_status: 'pass' })
    await world.read()
    await world.scrape()
    world.clock.advance(30_000)
    const scraped = await world.scrape()
    const builds = [...scraped].filter(([key]) => key.startsWith('audit_builds_total'))
    expect(builds).toEqual([
      [seriesKey('audit_builds_total', { outcome: 'first_pass', context_hash: 'unknown' }), 1],
    ])
  })
})

test('what an answer shows is on disk before its first byte leaves: fsync comes first', async () => {
  const strace = requireProgram('strace')
  const [root, state, out] = [temporary(), temporary(), path.join(temporary(), 'trace')]
  const trace = path.join(root, 'audit_trace.jsonl')
  fs.writeFileSync(trace, entry('first'))
  const daemon = await startDaemon({ roots: [root], state, args: ['--poll', '--new-series-hold', '0s'] })
  stops.push(() => daemon.stop('SIGKILL'))
  await daemon.ready()
  const calls = 'trace=fsync,fdatasync,write,writev,pwrite64'
  const tracer = start(strace, [
    '-f',
    '-yy',
    '-s',
    '65536',
    '-o',
    out,
    '-e',
    calls,
    '-p',
    String(daemon.child.pid),
  ])
  stops.push(() => tracer.stop('SIGINT'))
  await until('strace is attached', () => tracer.output().includes('attached') || undefined)
  fs.appendFileSync(trace, entry('first'))
  await until('the entry is shown', async () => {
    const text = await (
      await fetch(`${daemon.url}/metrics`, { headers: { 'accept-encoding': 'identity' } })
    ).text()
    return (
      text.includes('step="first",phase="other",status="N/A",error_type="",context_hash="unknown"} 2\n') ||
      undefined
    )
  })
  await tracer.stop('SIGINT')
  const traced = fs.readFileSync(out, 'utf8').split('\n')
  const shown = traced.findIndex(
    (call) => call.includes('TCP') && /context_hash=\\"unknown\\"\} 2\\n/u.test(call),
  )
  expect(shown).toBeGreaterThan(0)
  const before = traced.slice(0, shown)
  const written = before.findLastIndex(
    (call) => call.includes('state.sqlite-wal') && call.includes('pwrite64'),
  )
  const synced = before.findLastIndex(
    (call) => /fd?a?t?a?sync\(/u.test(call) && call.includes('state.sqlite-wal'),
  )
  expect(written).toBeGreaterThan(0)
  // Nothing is written to the log of the state between the last fsync of it and the answer.
  expect(synced).toBeGreaterThan(written)
})
