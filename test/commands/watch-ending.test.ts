import { once } from 'node:events'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startDaemon, type Daemon } from '../setup/daemon.ts'
import { entry, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { seriesKey } from '../setup/exposition.ts'
import { until } from '../setup/process.ts'
import { entriesKey } from '../setup/series.ts'

/** How a sidecar is started; the linger is longer than any test, so that a test that ends has not waited for it. */
const SIDECAR = ['--baseline', 'none', '--close-builds-on-exit', '--linger', '1h']
const FAILED = [entry(), entry({ step_name: 'verification', validation_status: 'fail' })]
const ENTRIES = entriesKey('unknown', 'implement_v1', 'implement')
const BUILDS = seriesKey('audit_builds_total', { outcome: 'failed', context_hash: 'unknown' })

function setUp() {
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  return { root, state: path.join(directory, 'state'), trace: path.join(root, 'audit_trace.jsonl') }
}

async function startSidecar(
  { root, state }: { root: string; state: string },
  ...args: readonly string[]
): Promise<Daemon> {
  const daemon = await startDaemon({ roots: [root], state, args: [...SIDECAR, ...args] })
  await daemon.ready()
  return daemon
}

const logged = (daemon: Daemon, event: string) =>
  until(`the daemon logs ${event}`, () => daemon.log().find((line) => line['event'] === event), {
    detail: daemon.output,
  })

async function terminate(daemon: Daemon): Promise<void> {
  daemon.child.kill('SIGTERM')
  await logged(daemon, 'lingering')
}

const exitOf = async (daemon: Daemon): Promise<unknown> => {
  if (daemon.child.exitCode === null) await once(daemon.child, 'close')
  return daemon.child.exitCode
}

test('after SIGTERM the exporter serves until the last value of each series was scraped, then ends with 0', async () => {
  const place = setUp()
  // The directory comes with the build, as in a pod: the exporter is ready before.
  const daemon = await startSidecar(place, '--new-series-hold', '0s')
  mkdirSync(place.root)
  writeFileSync(place.trace, lines(...FAILED))
  await terminate(daemon)
  const first = await daemon.scrape()
  expect([first.get(ENTRIES), first.get(BUILDS)], 'the start').toEqual([0, 0])
  expect(daemon.log().at(-1)).toMatchObject({ event: 'lingering' })
  const last = await daemon.scrape()
  expect([last.get(ENTRIES), last.get(BUILDS)], 'the end').toEqual([1, 1])
  expect(await exitOf(daemon)).toBe(0)
  expect(daemon.log().slice(-2)).toMatchObject([{ event: 'all_shown' }, { event: 'stopped' }])
})

test('other readers get the hold at the end of a series, as they do at its start', async () => {
  const place = setUp()
  const daemon = await startSidecar(place, '--new-series-hold', '300ms')
  mkdirSync(place.root)
  writeFileSync(place.trace, lines(...FAILED))
  await terminate(daemon)
  const seen = await until('the value is shown', async () => {
    const value = (await daemon.scrape()).get(BUILDS)
    return value === 1 ? performance.now() : undefined
  })
  // A second reader finds it still there.
  expect((await daemon.scrape()).get(BUILDS)).toBe(1)
  expect(await exitOf(daemon)).toBe(0)
  expect(performance.now() - seen).toBeGreaterThan(200)
})

test('when the time is up, one line says what was not scraped, and the exit code is 0', async () => {
  const place = setUp()
  const daemon = await startSidecar(place, '--linger', '300ms', '--new-series-hold', '0s')
  mkdirSync(place.root)
  writeFileSync(place.trace, lines(...FAILED))
  expect(await daemon.stop('SIGTERM')).toBe(0)
  const missing = daemon.log().filter(({ event }) => event === 'not_shown')
  expect(missing).toMatchObject([{ level: 'warn', entries: 2 }])
  expect(missing[0]?.['series']).toBeGreaterThan(5)
})

test('a second signal ends the serving at once', async () => {
  const place = setUp()
  const daemon = await startSidecar(place)
  await terminate(daemon)
  const code = await until('the daemon ends', () => {
    daemon.child.kill('SIGTERM')
    return daemon.child.exitCode ?? undefined
  })
  expect(code).toBe(1)
})

test('killed while it serves on, and started again, it shows each series from the start that was seen to its end', async () => {
  const place = setUp()
  const killed = await startSidecar(place, '--new-series-hold', '0s')
  mkdirSync(place.root)
  writeFileSync(place.trace, lines(...FAILED))
  await terminate(killed)
  expect((await killed.scrape()).get(BUILDS)).toBe(0)
  await killed.stop('SIGKILL')
  // The pod goes on: a verdict comes late, which opens no second build.
  appendFileSync(place.trace, lines(entry({ step_name: 'verification', validation_status: 'pass' })))
  const daemon = await startSidecar(place, '--new-series-hold', '0s')
  await terminate(daemon)
  const values: Map<string, number>[] = []
  while (daemon.child.exitCode === null && !daemon.output().includes('all_shown'))
    values.push(await daemon.scrape().catch(() => new Map<string, number>()))
  expect(await exitOf(daemon)).toBe(0)
  const builds = values.flatMap((samples) =>
    samples.size === 0 ? [] : [...samples].filter(([key]) => key.startsWith('audit_builds_total')),
  )
  expect(new Set(builds.map(([key]) => key))).toEqual(new Set([BUILDS]))
  const shown = builds.map(([, value]) => value)
  expect(shown).toEqual(shown.toSorted((a, b) => a - b))
  expect(shown.at(-1)).toBe(1)
})

test('a directory that is empty or does not exist yet is ready, and what comes then is counted', async () => {
  for (const exists of [true, false]) {
    const place = setUp()
    if (exists) mkdirSync(place.root)
    const daemon = await startSidecar(place, '--new-series-hold', '0s')
    mkdirSync(path.join(place.root, 'build'), { recursive: true })
    writeFileSync(path.join(place.root, 'build', 'audit_trace.jsonl'), lines(...FAILED))
    await until(
      'the entries are counted',
      async () => (await daemon.scrape()).get(ENTRIES) === 1 || undefined,
    )
    await daemon.stop('SIGKILL')
  }
})
