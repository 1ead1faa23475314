import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { requireSource } from '../../src/commands/report.ts'
import type { UpdateStep } from '../../src/rows/update.ts'
import { corpus, expectAlmostEqual, NOW } from '../audits/report-setup.ts'
import { entry, HASH_A, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { parquetBelow, reportAt } from './rows-setup.ts'

const FILE = 'audit_trace.jsonl'
const [MINUTE, DAY] = [60_000, 86_400_000]

const linesOf = (file: string): string[] => readFileSync(file, 'utf8').split(/(?<=\n)/u)
const timeOf = (line: string): number => Date.parse((JSON.parse(line) as OptimizationLogEntry).timestamp)

/** The traces of a corpus, to be written again bit by bit. */
async function grownFrom(directory: string, files: number) {
  const live = temporaryDirectory()
  const contents = Array.from({ length: files }, (_, i) => linesOf(path.join(directory, `${i}`, FILE)))
  const targets = contents.map((_, i) => path.join(live, `${i}`, FILE))
  for (const target of targets) mkdirSync(path.dirname(target))
  const written = contents.map(() => 0)
  return {
    live,
    /** Appends what had been written by then; of the next line, if `torn`, a half. */
    growTo(ms: number, torn: boolean): void {
      for (const [i, content] of contents.entries()) {
        const whole = content.filter((line) => timeOf(line) <= ms)
        const next = content[whole.length] ?? ''
        const text = whole.join('') + (torn ? next.slice(0, next.length / 2) : '')
        appendFileSync(targets[i] as string, text.slice(written[i]))
        written[i] = Math.max(written[i] as number, text.length)
      }
    },
  }
}

test('rows that grew in many runs give the report that all traces give, and so do the rows alone', async () => {
  const traces = await corpus({ seed: 'growth', size: { builds: 400 } })
  const { live, growTo } = await grownFrom(traces, 3)
  const rows = temporaryDirectory()
  const startMs = Date.parse('2026-09-01T00:00:00Z')
  // Runs begin in the middle of builds; the first one finds nothing.
  for (const days of [-1, 0.31, 0.32, 2.5, 5.77, 9.1]) {
    growTo(startMs + days * DAY, true)
    await reportAt({ paths: [live], rows, nowMs: startMs + days * DAY })
  }
  growTo(Infinity, false)
  const grown = await reportAt({ paths: [live], rows, nowMs: NOW })
  const expected = await reportAt({ paths: [traces], nowMs: NOW })
  expect(expected.totals.builds.after_rework).toBeGreaterThan(50)
  expectAlmostEqual(grown, expected)
  expectAlmostEqual(await reportAt({ rows, nowMs: NOW }), expected)
})

test('a run without anything new adds no entries, and closes builds that have timed out meanwhile', async () => {
  const traces = await corpus({ seed: 'still', size: { builds: 60 } })
  const rows = temporaryDirectory()
  const midMs = Date.parse('2026-09-11T00:20:00Z')
  expectAlmostEqual(
    await reportAt({ paths: [traces], rows, nowMs: midMs }),
    await reportAt({ paths: [traces], nowMs: midMs }),
  )
  const entriesBelow = () => parquetBelow(rows).filter((file) => file.startsWith('entries/'))
  const before = entriesBelow()
  expectAlmostEqual(
    await reportAt({ paths: [traces], rows, nowMs: midMs + 2 * DAY }),
    await reportAt({ paths: [traces], nowMs: midMs + 2 * DAY }),
  )
  expect(entriesBelow()).toEqual(before)
})

test('figures of the last report are used again until rows, period or open builds have changed', async () => {
  const traces = await corpus({ seed: 'again', size: { builds: 40 } })
  const rows = temporaryDirectory()
  const midMs = Date.parse('2026-09-11T00:20:00Z')
  const append = (run: string): void =>
    appendFileSync(
      path.join(traces, '0', FILE),
      lines(entry({ workflow_run_id: run, timestamp: new Date(midMs).toISOString() })),
    )
  append('open')
  const ask = async (nowMs: number, since?: string) => {
    const said: string[] = []
    const report = await reportAt({
      paths: [traces],
      rows,
      nowMs,
      since,
      complain: (line) => said.push(line),
    })
    return { report, isAgain: said.some((line) => line.startsWith('Nothing has changed')) }
  }
  const first = await ask(midMs)
  const second = await ask(midMs + 1)
  expect([first.isAgain, second.isAgain]).toEqual([false, true])
  expect(second.report).toEqual({ ...first.report, generated_at: new Date(midMs + 1).toISOString() })
  const recent = await ask(midMs, '2026-09-05')
  expect(recent.isAgain).toBe(false)
  expect(recent.report.totals.entries).toBeLessThan(first.report.totals.entries)
  expect((await ask(midMs, '2026-09-05')).isAgain).toBe(true)
  const late = await ask(midMs + DAY, '2026-09-05')
  expect(late.isAgain).toBe(false)
  expect(late.report.totals.builds_in_progress).toBeLessThan(recent.report.totals.builds_in_progress)
  expect((await ask(midMs + DAY, '2026-09-05')).isAgain).toBe(true)
  append('new')
  const grown = await ask(midMs + DAY, '2026-09-05')
  expect([grown.isAgain, grown.report.totals.entries]).toEqual([false, late.report.totals.entries + 1])
  writeFileSync(path.join(rows, 'report.json'), '{')
  expectAlmostEqual((await ask(midMs + DAY, '2026-09-05')).report, grown.report)
})

test('an export is written also when nothing has changed since the last report', async () => {
  const [traces, rows] = [await corpus({ seed: 'export', size: { builds: 10 } }, 1), temporaryDirectory()]
  const file = path.join(temporaryDirectory(), 'rows.parquet')
  const first = await reportAt({ paths: [traces], rows, nowMs: NOW })
  expectAlmostEqual(await reportAt({ paths: [traces], rows, nowMs: NOW, export: file }), first)
  const entries = await reportAt({ rows, nowMs: NOW, export: `${file}.2` })
  expect(statSync(`${file}.2`).size).toBe(statSync(file).size)
  expectAlmostEqual(entries, first)
})

test('an entry that comes days after its build belongs to it, whatever has been summed up', async () => {
  const traces = await corpus({ seed: 'late', size: { builds: 60 } })
  const rows = temporaryDirectory()
  await reportAt({ paths: [traces], rows, nowMs: NOW })
  const [first = ''] = linesOf(path.join(traces, '0', FILE))
  const fix = {
    step_name: 'fix_attempt_9',
    validation_status: 'fail',
    validation_error_type: 'LATE',
  } as const
  const late = { ...(JSON.parse(first) as OptimizationLogEntry), ...fix }
  appendFileSync(path.join(traces, '2', FILE), lines({ ...late, timestamp: '2026-09-11T12:00:00.000Z' }))
  const grown = await reportAt({ paths: [traces], rows, nowMs: NOW })
  const expected = await reportAt({ paths: [traces], nowMs: NOW })
  expect(expected.token_efficiency.fix_cost.map(({ error_type }) => error_type)).toContain('LATE')
  expectAlmostEqual(grown, expected)
})

test('rows of a project whose name is too long for a directory are in the report', async () => {
  const [traces, rows] = [await corpus({ seed: 'long', size: { builds: 20 } }), temporaryDirectory()]
  const project = '計'.repeat(60)
  mkdirSync(path.join(traces, 'long'))
  writeFileSync(
    path.join(traces, 'long', FILE),
    lines(entry({ workflow_run_id: 'long', project, model: 'm' })),
  )
  const grown = await reportAt({ paths: [traces], rows, nowMs: NOW })
  expect(grown.token_efficiency.models.map((row) => row.project)).toContain(project)
  expectAlmostEqual(grown, await reportAt({ paths: [traces], nowMs: NOW }))
})

test('rows of a clock that was wrong, before 1970, are in the report', async () => {
  const [traces, rows] = [await corpus({ seed: 'clock', size: { builds: 20 } }), temporaryDirectory()]
  mkdirSync(path.join(traces, 'old'))
  const old = entry({
    workflow_run_id: 'old',
    timestamp: '1969-07-20T20:17:40.000Z',
    context_file_hash: HASH_A,
  })
  writeFileSync(path.join(traces, 'old', FILE), lines(old))
  const grown = await reportAt({ paths: [traces], rows, nowMs: NOW })
  expect(grown.period.first_entry).toBe('1969-07-20T20:17:40.000Z')
  expectAlmostEqual(grown, await reportAt({ paths: [traces], nowMs: NOW }))
})

/** Inverts some bytes of each block of 4 KiB from a position on. */
function damage(file: string, from: number): void {
  const bytes = readFileSync(file)
  for (let at = from; at < bytes.length; at += 4_096) bytes.writeUInt8(bytes.readUInt8(at) ^ 0xff, at)
  writeFileSync(file, bytes)
}

test.each([
  ['in their header', 64],
  ['in their rows', 12_288 + 64],
])('sums that are damaged %s are replaced', async (_, from) => {
  const [traces, rows] = [await corpus({ seed: 'damage', size: { builds: 40 } }), temporaryDirectory()]
  await reportAt({ paths: [traces], rows, nowMs: NOW })
  const sums = path.join(rows, 'sums.duckdb')
  damage(sums, from)
  const damaged = readFileSync(sums)
  for (const minutes of [1, 2]) {
    const timestamp = new Date(NOW - DAY + minutes * MINUTE).toISOString()
    appendFileSync(path.join(traces, '0', FILE), lines(entry({ timestamp })))
    const grown = await reportAt({ paths: [traces], rows, nowMs: NOW })
    expectAlmostEqual(grown, await reportAt({ paths: [traces], nowMs: NOW }))
  }
  expect(readFileSync(sums).equals(damaged)).toBe(false)
})

test.each(['damaged', 'of other rows', 'in use'])('sums that are %s are not used', async (state) => {
  const [traces, others] = [
    await corpus({ seed: 'sums', size: { builds: 40 } }),
    await corpus({ seed: 'x', size: { builds: 40 } }),
  ]
  const [rows, otherRows] = [temporaryDirectory(), temporaryDirectory()]
  await reportAt({ paths: [traces], rows, nowMs: NOW })
  await reportAt({ paths: [others], rows: otherRows, nowMs: NOW })
  const sums = path.join(rows, 'sums.duckdb')
  if (state === 'damaged') writeFileSync(sums, 'not a database')
  if (state === 'of other rows') copyFileSync(path.join(otherRows, 'sums.duckdb'), sums)
  if (state === 'in use') await openElsewhere(sums)
  const { ino } = statSync(sums)
  appendFileSync(path.join(traces, '0', FILE), lines(entry({ timestamp: new Date(NOW - DAY).toISOString() })))
  const grown = await reportAt({ paths: [traces], rows, nowMs: NOW })
  expectAlmostEqual(grown, await reportAt({ paths: [traces], nowMs: NOW }))
  if (state === 'in use') expect(statSync(sums).ino).toBe(ino)
})

/** Opens a DuckDB database in a process of its own, until the test is over. */
async function openElsewhere(file: string): Promise<void> {
  const script = `import { DuckDBInstance } from '@duckdb/node-api'
    const instance = await DuckDBInstance.create(${JSON.stringify(file)})
    process.stdin.resume()
    console.log(typeof instance)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
}

const STEPS: readonly UpdateStep[] = ['read', 'attributed', 'staged', 'placed', 'committed', 'published']

test.each(STEPS)('a run that is killed when it has %s leaves all of its rows or none', async (step) => {
  const traces = await corpus({ seed: 'killed', size: { builds: 60 } })
  const { live, growTo } = await grownFrom(traces, 3)
  const rows = temporaryDirectory()
  const firstMs = Date.parse('2026-09-05T12:00:00Z')
  growTo(firstMs, true)
  const first = await reportAt({ paths: [live], rows, nowMs: firstMs })
  growTo(Infinity, false)
  const { signal } = spawnSync(
    process.execPath,
    [path.join(import.meta.dirname, '..', 'setup', 'killed-run.ts'), live, rows, step, String(NOW)],
    { stdio: 'ignore' },
  )
  expect(signal).toBe('SIGKILL')
  const expected = await reportAt({ paths: [traces], nowMs: NOW })
  // A reader in between sees the rows before the run or after it.
  const { generated_at: _, ...between } = await reportAt({
    rows,
    nowMs: step === 'published' ? NOW : firstMs,
  })
  const { generated_at: __, ...consistent } = step === 'published' ? expected : first
  if (step !== 'published') Object.assign(consistent, { input: between.input })
  expectAlmostEqual(between, consistent)
  expectAlmostEqual(await reportAt({ paths: [live], rows, nowMs: NOW }), expected)
  const manifest = JSON.parse(readFileSync(path.join(rows, 'manifest.json'), 'utf8')) as Record<
    string,
    string[]
  >
  expect(parquetBelow(rows)).toEqual(
    [...(manifest['entries'] ?? []), ...(manifest['builds'] ?? [])].toSorted(),
  )
})

test('traces that are gone stay in the report', async () => {
  const [traces, rows] = [await corpus({ seed: 'gone', size: { builds: 40 } }), temporaryDirectory()]
  const expected = await reportAt({ paths: [traces], rows, nowMs: NOW })
  rmSync(path.join(traces, '0'), { recursive: true })
  expectAlmostEqual(await reportAt({ paths: [traces], rows, nowMs: NOW }), expected)
  rmSync(traces, { recursive: true })
  const complaints: string[] = []
  const complain = (line: string): void => void complaints.push(line)
  expectAlmostEqual(await reportAt({ paths: [traces], rows, nowMs: NOW, complain }), expected)
  expect(complaints).toContain(`${traces} does not exist; its rows stay.`)
})

test('a rotated trace and a longer copy under the same name count once', async () => {
  const [traces, rows] = [temporaryDirectory(), temporaryDirectory()]
  const file = path.join(traces, FILE)
  const at = (n: number) =>
    lines(entry({ workflow_run_id: `b${n}`, timestamp: new Date(NOW - (30 - n) * MINUTE).toISOString() }))
  const entriesNow = async () => (await reportAt({ paths: [traces], rows, nowMs: NOW })).totals.entries
  writeFileSync(file, at(1) + at(2))
  expect(await entriesNow()).toBe(2)
  renameSync(file, `${file}.1`)
  writeFileSync(file, at(3))
  expect(await entriesNow()).toBe(3)
  copyFileSync(file, `${file}.part`)
  appendFileSync(`${file}.part`, at(4))
  renameSync(`${file}.part`, file)
  expect(await entriesNow()).toBe(4)
})

test('a build whose later entries are copied a day late is closed meanwhile, and whole in the end', async () => {
  const [traces, rows] = [temporaryDirectory(), temporaryDirectory()]
  const file = path.join(traces, FILE)
  const startMs = NOW - 5 * DAY
  const step = (minutes: number, fields: Partial<OptimizationLogEntry>) =>
    lines(
      entry({
        timestamp: new Date(startMs + minutes * MINUTE).toISOString(),
        context_file_hash: HASH_A,
        ...fields,
      }),
    )
  writeFileSync(
    file,
    step(0, {}) +
      step(5, { step_name: 'verify', validation_status: 'fail', validation_error_type: 'TSC_ERROR' }),
  )
  const early = await reportAt({ paths: [traces], rows, nowMs: startMs + 5 * 60 * MINUTE })
  expect(early.totals.builds).toMatchObject({ failed: 1, after_rework: 0 })
  appendFileSync(
    file,
    step(9, { step_name: 'fix_attempt_1', completion_token_count: 50 }) +
      step(12, { step_name: 'verify', validation_status: 'pass' }),
  )
  const late = await reportAt({ paths: [traces], rows, nowMs: startMs + DAY })
  expect(late.totals.builds).toMatchObject({ failed: 0, after_rework: 1 })
  expectAlmostEqual(late, await reportAt({ paths: [traces], nowMs: startMs + DAY }))
})

test('a build that pauses for longer than its timeout is closed at the pause, also when a later run reads what follows', async () => {
  const [traces, rows] = [temporaryDirectory(), temporaryDirectory()]
  const file = path.join(traces, FILE)
  const startMs = NOW - 5 * DAY
  const step = (minutes: number, status: 'pass' | 'fail') =>
    lines(
      entry({
        step_name: 'verify',
        timestamp: new Date(startMs + minutes * MINUTE).toISOString(),
        validation_status: status,
      }),
    )
  writeFileSync(file, step(0, 'fail'))
  await reportAt({ paths: [traces], rows, nowMs: startMs + 30 * MINUTE })
  appendFileSync(file, step(90, 'pass'))
  const grown = await reportAt({ paths: [traces], rows, nowMs: startMs + 95 * MINUTE })
  expect(grown.totals.builds).toMatchObject({ failed: 1, after_rework: 0 })
  expectAlmostEqual(grown, await reportAt({ paths: [traces], nowMs: startMs + 95 * MINUTE }))
})

test('what a killed run has left is removed, whatever its name', async () => {
  const [traces, rows] = [await corpus({ seed: 'left', size: { builds: 3 } }, 1), temporaryDirectory()]
  await reportAt({ paths: [traces], rows, nowMs: NOW })
  const before = parquetBelow(rows)
  const left = path.join(rows, 'entries', 'day=2020-01-01', 'project=x')
  mkdirSync(left, { recursive: true })
  writeFileSync(path.join(left, 'run-000002-0.parquet'), 'half a file')
  await reportAt({ paths: [traces], rows, nowMs: NOW })
  expect(parquetBelow(rows)).toEqual(before)
})

test('rows of several exporters are one report, by a pattern', async () => {
  const [both, shared] = [temporaryDirectory(), temporaryDirectory()]
  for (const [i, seed] of ['east', 'west'].entries()) {
    const traces = await corpus({ seed, size: { builds: 30 } }, 1)
    mkdirSync(path.join(both, `${i}`))
    copyFileSync(path.join(traces, '0', FILE), path.join(both, `${i}`, FILE))
    await reportAt({ paths: [path.join(both, `${i}`)], rows: path.join(shared, seed), nowMs: NOW })
  }
  expectAlmostEqual(
    await reportAt({ rows: path.join(shared, '*'), nowMs: NOW }),
    await reportAt({ paths: [both], nowMs: NOW }),
  )
})

test('what cannot be done is refused with what to do', async () => {
  const [traces, rows] = [await corpus({ seed: 'refused', size: { builds: 3 } }, 1), temporaryDirectory()]
  expect(() => requireSource({ paths: [], rows: undefined })).toThrow('Nothing to report on')
  await expect(reportAt({ rows, nowMs: NOW })).rejects.toThrow(
    /--rows: nothing can be read at .*manifest\.json/u,
  )
  await expect(reportAt({ paths: [traces], rows: `${rows}/*`, nowMs: NOW })).rejects.toThrow(
    /--rows: with paths of traces, give one local directory/u,
  )
  await reportAt({ paths: [traces], rows, nowMs: NOW })
  rmSync(path.join(rows, 'state'), { recursive: true })
  await expect(reportAt({ paths: [traces], rows, nowMs: NOW })).rejects.toThrow(/its state is gone/u)
  writeFileSync(path.join(rows, 'manifest.json'), '{"format":2}')
  await expect(reportAt({ rows, nowMs: NOW })).rejects.toThrow(/written by a newer version/u)
})
