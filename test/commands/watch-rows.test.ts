import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parseManifest } from '../../src/rows/dataset.ts'
import { writeCorpus } from '../../src/simulate/corpus.ts'
import { openStore } from '../../src/state/store.ts'
import { expectAlmostEqual } from '../audits/report-setup.ts'
import { reportAt } from '../rows/rows-setup.ts'
import { startDaemon, type Daemon } from '../setup/daemon.ts'
import { entry, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { until } from '../setup/process.ts'

const FILE = 'audit_trace.jsonl'
const DAY = 86_400_000
const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts')

const watchRows = (roots: readonly string[], rows: string): Promise<Daemon> =>
  startDaemon({
    roots,
    state: temporaryDirectory(),
    args: [
      '--rows',
      rows,
      '--rows-interval',
      '50ms',
      '--scan-interval',
      '50ms',
      '--poll',
      '--log-level',
      'debug',
    ],
  })

/** Processes that a process has started and that have not ended. */
const childrenOf = ({ child: { pid } }: Daemon): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)

/** Ends the daemon and the process that writes its rows, as the kernel ends a container. */
async function killAll(daemon: Daemon): Promise<void> {
  const writers = childrenOf(daemon)
  const ended = daemon.stop('SIGKILL')
  for (const pid of writers) process.kill(pid, 'SIGKILL')
  await ended
}

const entriesIn = (rows: string): number => {
  const file = path.join(rows, 'manifest.json')
  return existsSync(file) ? parseManifest(readFileSync(file, 'utf8'), file).input.entries : 0
}

test('rows of two exporters that are killed amid, and whose traces are gone, give the report of all traces', async () => {
  const [traces, live, shared] = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()]
  const names = ['0', '1', '2']
  const nowMs = Date.now()
  // Builds stay open for entries that come up to three days late.
  await writeCorpus(
    names.map((name) => path.join(traces, name, FILE)),
    {
      seed: 'sidecars',
      size: { builds: 120 },
      startMs: nowMs - 2.5 * DAY,
      spanMs: 2 * DAY,
      extensionShare: 1,
    },
  )
  for (const name of names) mkdirSync(path.join(live, name))
  /** Appends the n-th of so many pieces of each trace; it ends within a line. */
  const grow = (n: number, pieces: number): void => {
    for (const name of names) {
      const content = readFileSync(path.join(traces, name, FILE))
      const at = (k: number): number => Math.round((content.length * k) / pieces)
      appendFileSync(path.join(live, name, FILE), content.subarray(at(n), at(n + 1)))
    }
  }
  const machines = [
    { roots: ['0', '1'].map((name) => path.join(live, name)), rows: path.join(shared, 'a') },
    { roots: [path.join(live, '2')], rows: path.join(shared, 'b') },
  ] as const
  const [first, second] = machines
  // Killed as soon as a process writes rows, then when it has begun to put them in place.
  for (const [n, isTime] of [
    (daemon: Daemon) => childrenOf(daemon).length > 0,
    () => existsSync(path.join(first.rows, '_staging')) || entriesIn(first.rows) > 0,
  ].entries()) {
    grow(n, 4)
    const daemon = await watchRows(first.roots, first.rows)
    await until('rows are being written', () => isTime(daemon) || undefined, { detail: daemon.output })
    await killAll(daemon)
  }
  grow(2, 4)
  const running = await Promise.all(machines.map(({ roots, rows }) => watchRows(roots, rows)))
  await until('both have rows', () => (entriesIn(first.rows) > 0 && entriesIn(second.rows) > 0) || undefined)
  grow(3, 4)
  // Nothing says that they have read the rest: they do it at the end.
  expect(await Promise.all(running.map((daemon) => daemon.stop()))).toEqual([0, 0])
  rmSync(live, { recursive: true })
  const expected = await reportAt({ paths: [traces], nowMs })
  expect(expected.totals.builds.after_rework).toBeGreaterThan(10)
  expectAlmostEqual(await reportAt({ rows: path.join(shared, '*'), nowMs }), expected)
})

test('while rows cannot be written, metrics go on, and the rows follow', async () => {
  const [directory, rows] = [temporaryDirectory(), temporaryDirectory()]
  appendFileSync(path.join(directory, FILE), lines(entry()))
  const taken = openStore(path.join(rows, 'state'))
  const daemon = await watchRows([directory], rows)
  const logged = (event: string) => () => daemon.log().find((line) => line['event'] === event)
  const failure = await until('it has failed', logged('rows_failed'), { detail: daemon.output })
  expect(failure['msg']).toMatch(/another process is using it.*set --rows to another directory/u)
  const failures = async () => (await daemon.scrape()).get('audit_exporter_rows_update_failures_total')
  expect(await failures()).toBeGreaterThan(0)
  expect((await daemon.scrape()).get('audit_exporter_read_bytes_total{result="counted"}')).toBeGreaterThan(0)
  taken.close()
  await until('it has recovered', logged('rows_recovered'), { detail: daemon.output })
  expect(entriesIn(rows)).toBe(1)
  expect(daemon.log().filter(({ event }) => event === 'rows_failed')).toHaveLength(1)
  const failed = await failures()
  appendFileSync(path.join(directory, FILE), lines(entry()))
  await until('another update was made', () => entriesIn(rows) === 2, { detail: daemon.output })
  expect(await failures()).toBe(failed)
  expect(await daemon.stop()).toBe(0)
})

test('rows are written only where something new was read', async () => {
  const [directory, rows] = [temporaryDirectory(), temporaryDirectory()]
  appendFileSync(path.join(directory, FILE), lines(entry()))
  const daemon = await watchRows([directory], rows)
  const written = () => daemon.log().filter(({ event }) => event === 'rows_written')
  await until('rows are written', () => written().at(0), { detail: daemon.output })
  appendFileSync(path.join(directory, FILE), lines(entry()))
  await until('the new row is written', () => entriesIn(rows) === 2 || undefined, { detail: daemon.output })
  expect(written().filter((line) => line['entries'] === 0)).toEqual([])
  expect(await daemon.stop()).toBe(0)
})

test.each(['/rows/*', 's3://bucket/rows'])('rows cannot be written to %s', (rows) => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [MAIN, 'watch', '.', '--state', temporaryDirectory(), '--rows', rows],
    { encoding: 'utf8' },
  )
  expect([status, stderr]).toEqual([2, expect.stringContaining('--rows: give one local directory')])
})
