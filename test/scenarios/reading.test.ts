import type { LinePlace } from '../../src/events.ts'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { seriesKey } from '../setup/exposition.ts'
import { entry, lines } from '../setup/entries.ts'
import { openExporter, startExporter, temporaryDirectory, type TestExporter } from '../setup/exporter.ts'

const TRACE = 'audit_trace.jsonl'

function setUp() {
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  const state = path.join(directory, 'state')
  mkdirSync(root)
  return { directory, root, state, file: path.join(root, TRACE) }
}

const read = (result: string): string => seriesKey('audit_exporter_read_bytes_total', { result })
const rejected = (reason: string): string => seriesKey('audit_exporter_rejected_lines_total', { reason })

/** All entries that have been counted, whatever their labels. */
async function entries(exporter: TestExporter): Promise<number> {
  let sum = 0
  for (const [key, value] of await exporter.scrape()) if (key.startsWith('audit_entries_total')) sum += value
  return sum
}

const file = (exporter: TestExporter) => [...exporter.tail.status()][0]

test('the first start counts everything that is in the files, at once and in full', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry(), entry({ step_name: 'scaffold' })))
  expect(await entries(await startExporter({ roots: [root], state }))).toBe(2)
})

test('a partial line waits for its end and is pending meanwhile', async () => {
  const { root, state, file: trace } = setUp()
  const line = lines(entry())
  writeFileSync(trace, line + line.slice(0, 40))
  const exporter = await startExporter({ roots: [root], state })
  expect(await entries(exporter)).toBe(1)
  expect(file(exporter)).toMatchObject({ pendingBytes: 40, lagBytes: 0 })
  appendFileSync(trace, line.slice(40))
  await exporter.round()
  expect(await entries(exporter)).toBe(2)
  expect(file(exporter)).toMatchObject({ pendingBytes: 0 })
})

test.each([7, 64, 1_000, 65_536])(
  'lines and characters may be cut anywhere by reads of %i bytes',
  async (sliceBytes) => {
    const { root, state, file } = setUp()
    const all = Array.from({ length: 40 }, (_, i) =>
      entry({ step_name: `step_${i % 3}`, error_full: 'ß→😀'.repeat(i * 7), total_token_cost: i }),
    )
    writeFileSync(file, lines(...all))
    const exporter = await startExporter({ roots: [root], state, sliceBytes })
    const samples = await exporter.scrape()
    expect(await entries(exporter)).toBe(40)
    expect(samples.get(rejected('invalid_utf8'))).toBe(0)
    expect(samples.get(seriesKey('audit_step_token_cost_sum', { step: 'step_0', phase: 'other' }))).toBe(273)
  },
)

test('a line whose bytes come one at a time is read once it is whole', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, '')
  const exporter = await startExporter({ roots: [root], state, sliceBytes: 16 })
  for (const byte of Buffer.from(lines(entry({ model: 'gemini-2.5-pro ünï' })))) {
    expect(await entries(exporter)).toBe(0)
    appendFileSync(file, Buffer.from([byte]))
    await exporter.round()
  }
  // A new series is first shown at zero.
  expect(await entries(exporter)).toBe(0)
  exporter.clock.advance(60_000)
  expect(await entries(exporter)).toBe(1)
})

test('CRLF ends a line, a BOM at the start and blank lines are skipped', async () => {
  const { root, state, file } = setUp()
  const one = JSON.stringify(entry())
  writeFileSync(file, `\uFEFF${one}\r\n\r\n   \n${one}\n`)
  const exporter = await startExporter({ roots: [root], state })
  const samples = await exporter.scrape()
  expect(await entries(exporter)).toBe(2)
  expect(samples.get(read('skipped'))).toBe(3 + 2 + 4)
  expect(samples.get(read('counted'))).toBe(2 * one.length + 3)
})

test('bad lines are counted by reason and named by file, line and field; the rest goes on', async () => {
  const { root, state, file } = setUp()
  const good = lines(entry())
  const bad = [
    '{"torn": \n',
    `${JSON.stringify({ ...entry(), prompt_token_count: 'many' })}\n`,
    Buffer.from([0x7b, 0xff, 0xfe, 0x0a]),
    `${'x'.repeat(2_000)}\n`,
  ]
  writeFileSync(file, Buffer.concat([good, ...bad, good].map((part) => Buffer.from(part))))
  const exporter = await startExporter({ roots: [root], state, flags: { maxLineBytes: '1kB' } })
  const samples = await exporter.scrape()
  expect(await entries(exporter)).toBe(2)
  for (const reason of ['invalid_json', 'schema', 'invalid_utf8', 'too_long']) {
    expect(samples.get(rejected(reason)), reason).toBe(1)
  }
  const told = exporter.told
    .filter(({ event }) => event === 'lineRejected')
    .map(({ args: [place, reason, field] }) => {
      const { path: at, line } = place as LinePlace
      return [{ path: at, line }, reason, field]
    })
  expect(told).toEqual([
    [{ path: file, line: 2 }, 'invalid_json', ''],
    [{ path: file, line: 3 }, 'schema', 'prompt_token_count'],
    [{ path: file, line: 4 }, 'invalid_utf8', ''],
    [{ path: file, line: 5 }, 'too_long', ''],
  ])
})

test.each([100, 4_096])(
  'an over-long line is skipped as it streams by, %i bytes at a time',
  async (sliceBytes) => {
    const { root, state, file } = setUp()
    const good = lines(entry())
    writeFileSync(file, good + 'x'.repeat(5_000))
    const exporter = await startExporter({ roots: [root], state, sliceBytes, flags: { maxLineBytes: '1kB' } })
    expect((await exporter.scrape()).get(rejected('too_long'))).toBe(1)
    appendFileSync(file, `${'x'.repeat(5_000)}\n${good}`)
    await exporter.round()
    const samples = await exporter.scrape()
    expect(samples.get(rejected('too_long'))).toBe(1)
    expect(samples.get(read('skipped'))).toBe(10_001)
    expect(await entries(exporter)).toBe(2)
  },
)

test('an entry with 5 MB of error log is an entry like any other', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry(), entry({ error_full: 'é'.repeat(2.5e6) }), entry()))
  expect(await entries(await startExporter({ roots: [root], state }))).toBe(3)
})

test('interleaved builds in one file, and one build in two files, are distinguished by their ids', async () => {
  const { root, state } = setUp()
  const step = (run: string, minute: number, fields = {}) =>
    entry({
      workflow_run_id: run,
      timestamp: `2026-11-20T11:${String(minute).padStart(2, '0')}:00.000Z`,
      ...fields,
    })
  const fail = { step_name: 'initial_verification', validation_status: 'fail' as const }
  const pass = { step_name: 'verification_1', validation_status: 'pass' as const }
  for (const name of ['one', 'two']) mkdirSync(path.join(root, name))
  writeFileSync(
    path.join(root, 'one', TRACE),
    lines(step('a', 1), step('b', 2), step('a', 3, fail), step('b', 4, pass)),
  )
  const exporter = await startExporter({ roots: [root], state })
  writeFileSync(path.join(root, 'two', TRACE), lines(step('a', 5, pass)))
  await exporter.round()
  await exporter.scrape()
  exporter.clock.advance(60_000)
  const samples = await exporter.scrape()
  const builds = (outcome: string) =>
    samples.get(seriesKey('audit_builds_total', { outcome, context_hash: 'unknown' }))
  expect([builds('first_pass'), builds('after_rework')]).toEqual([1, 1])
})

test('several roots, one that appears later, and a file as root', async () => {
  const { directory, root, state } = setUp()
  const later = path.join(directory, 'later')
  const single = path.join(directory, 'any-name.jsonl')
  writeFileSync(path.join(root, TRACE), lines(entry()))
  writeFileSync(single, lines(entry()))
  const exporter = await startExporter({ roots: [root, later, single], state })
  expect(await entries(exporter)).toBe(2)
  expect(exporter.told).toContainEqual({ event: 'rootWaiting', args: [later] })
  mkdirSync(path.join(later, 'deep', 'deeper'), { recursive: true })
  writeFileSync(path.join(later, 'deep', 'deeper', TRACE), lines(entry(), entry()))
  await exporter.round()
  expect(await entries(exporter)).toBe(4)
  expect(exporter.told).toContainEqual({ event: 'rootFound', args: [later] })
})

test('two hundred files at once, and none below node_modules or .git', async () => {
  const { root, state } = setUp()
  for (let i = 0; i < 200; i++) {
    mkdirSync(path.join(root, `build-${i}`))
    writeFileSync(path.join(root, `build-${i}`, TRACE), lines(entry({ workflow_run_id: `run-${i}` })))
  }
  for (const ignored of ['node_modules', '.git']) {
    mkdirSync(path.join(root, ignored))
    writeFileSync(path.join(root, ignored, TRACE), lines(entry()))
  }
  expect(await entries(await startExporter({ roots: [root], state }))).toBe(200)
})

test('no scrape is answered with less than all that stood there, however much that is', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry()))
  const exporter = openExporter({ roots: [root], state })
  expect(exporter.ready()).toBe(false)
  await exporter.firstPass()
  expect(exporter.ready()).toBe(true)
})

test('reading that pauses after every slice goes on with the file that waited longest', async () => {
  const { root, state } = setUp()
  const traces = ['one', 'two', 'three'].map((name) => path.join(root, name, TRACE))
  for (const trace of traces) mkdirSync(path.dirname(trace))
  const exporter = await startExporter({ roots: [root], state, sliceBytes: 256 })
  for (const trace of traces) writeFileSync(trace, lines(...Array.from({ length: 40 }, () => entry())))
  await exporter.tail.scan()
  for (let pause = 0; pause < traces.length; pause++) {
    let slices = 0
    expect(await exporter.tail.drain(() => slices++ > 0)).toBe(false)
  }
  const begun = [...exporter.tail.status()].filter(({ file }) => file.position > 0)
  expect(begun.map(({ file }) => file.path).toSorted()).toEqual(traces.toSorted())
  expect(await exporter.tail.drain()).toBe(true)
  expect(await entries(exporter)).toBe(0)
  exporter.clock.advance(60_000)
  expect(await entries(exporter)).toBe(120)
})
