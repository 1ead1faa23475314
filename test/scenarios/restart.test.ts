import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { COLD_AFTER_MS } from '../../src/engine.ts'
import { nodeFileSystem } from '../../src/tail/file-system.ts'
import { entry, HASH_A, lines } from '../setup/entries.ts'
import { seriesKey } from '../setup/exposition.ts'
import { entriesKey } from '../setup/series.ts'
import {
  createManualClock,
  NOON,
  openExporter,
  startExporter,
  temporaryDirectory,
  type TestExporter,
} from '../setup/exporter.ts'

const TRACE = 'audit_trace.jsonl'

function setUp() {
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  mkdirSync(root)
  return { root, state: path.join(directory, 'state'), file: path.join(root, TRACE) }
}

const IMPLEMENTED = entriesKey('unknown', 'implement_v1', 'implement')
const count = async (exporter: TestExporter): Promise<number | undefined> =>
  (await exporter.scrape()).get(IMPLEMENTED)

test('log_rotation_by_rename: the old file is read to its end, the new one from its start', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry()))
  const exporter = await startExporter({ roots: [root], state })
  appendFileSync(file, lines(entry()))
  renameSync(file, `${file}.1`)
  writeFileSync(file, lines(entry(), entry()))
  await exporter.round()
  expect(await count(exporter)).toBe(4)
  appendFileSync(`${file}.1`, lines(entry()))
  await exporter.round()
  expect(await count(exporter)).toBe(5)
  const samples = await exporter.scrape()
  expect(samples.get('audit_exporter_rotations_total')).toBe(1)
  expect(samples.get('audit_exporter_truncations_total')).toBe(0)
})

test('log_rotation_while_down: what was appended before the rename is found under the new name', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry()))
  await (await startExporter({ roots: [root], state })).crash()
  appendFileSync(file, lines(entry()))
  renameSync(file, `${file}.1`)
  writeFileSync(file, lines(entry(), entry()))
  expect(await count(await startExporter({ roots: [root], state }))).toBe(4)
})

test('log_rotation_by_copy_and_truncate: the cut file is read from its start again', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry(), entry()))
  const exporter = await startExporter({ roots: [root], state })
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
  appendFileSync(file, lines(entry()))
  await exporter.round()
  expect(await count(exporter)).toBe(3)
  expect((await exporter.scrape()).get('audit_exporter_truncations_total')).toBe(1)
})

test('truncation_and_regrowth_between_two_looks: other bytes before the position mean another content', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry()))
  const exporter = await startExporter({ roots: [root], state })
  writeFileSync(file, lines(entry({ workflow_run_id: 'another-1' }), entry({ workflow_run_id: 'another-2' })))
  await exporter.round()
  expect(await count(exporter)).toBe(3)
})

test('truncation_within_an_unfinished_line: what was counted stays counted', async () => {
  const { root, state, file } = setUp()
  const line = lines(entry())
  writeFileSync(file, line + line.slice(0, 30))
  const exporter = await startExporter({ roots: [root], state })
  truncateSync(file, line.length)
  appendFileSync(file, line)
  await exporter.round()
  const samples = await exporter.scrape()
  expect(samples.get(IMPLEMENTED)).toBe(2)
  expect(samples.get('audit_exporter_truncations_total')).toBe(0)
})

test('deletion: what is left to read is read, and the totals stay', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry()))
  const exporter = await startExporter({ roots: [root], state })
  appendFileSync(file, lines(entry(), entry()))
  rmSync(file)
  await exporter.round()
  expect(await count(exporter)).toBe(3)
  exporter.clock.advance(COLD_AFTER_MS + 1)
  await exporter.round()
  expect([...exporter.tail.status()]).toEqual([])
  writeFileSync(file, lines(entry()))
  await exporter.round()
  expect(await count(exporter)).toBe(4)
})

test('restart: nothing is counted twice, nothing that came meanwhile is missed', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry(), entry()))
  const first = await startExporter({ roots: [root], state })
  expect(await count(first)).toBe(2)
  await first.crash()
  appendFileSync(file, lines(entry()))
  expect(await count(await startExporter({ roots: [root], state }))).toBe(3)
})

test('a crash before a commit: what was read but not committed is read again, once', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry()))
  const first = await startExporter({ roots: [root], state })
  appendFileSync(file, lines(entry()))
  await first.tail.scan()
  await first.tail.drain()
  await first.crash()
  expect(await count(await startExporter({ roots: [root], state }))).toBe(2)
})

test('builds go on over a restart: outcome, error type and context come from before it', async () => {
  const { root, state, file } = setUp()
  const fail = entry({
    step_name: 'initial_verification',
    validation_status: 'fail',
    validation_error_type: 'TSC_ERROR',
    context_file_hash: HASH_A,
  })
  writeFileSync(file, lines(fail))
  await (await startExporter({ roots: [root], state })).crash()
  appendFileSync(
    file,
    lines(
      entry({ step_name: 'fix_attempt_1', completion_token_count: 10 }),
      entry({ step_name: 'verification_1', validation_status: 'pass' }),
    ),
  )
  const exporter = await startExporter({ roots: [root], state })
  await exporter.scrape()
  exporter.clock.advance(60_000)
  const samples = await exporter.scrape()
  const context_hash = HASH_A.slice(0, 12)
  const fixed = {
    step: 'fix_attempt_1',
    phase: 'rework',
    status: 'N/A',
    error_type: 'TSC_ERROR',
    context_hash,
  }
  expect(samples.get(seriesKey('audit_entries_total', fixed))).toBe(1)
  expect(samples.get(seriesKey('audit_builds_total', { outcome: 'after_rework', context_hash }))).toBe(1)
})

test('an idle build closes by the clock, once, also over a restart', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry({ timestamp: '2026-11-20T11:59:00.000Z' })))
  const first = await startExporter({ roots: [root], state })
  const abandoned = seriesKey('audit_builds_total', { outcome: 'abandoned', context_hash: 'unknown' })
  expect((await first.scrape()).get(abandoned)).toBeUndefined()
  expect((await first.scrape()).get('audit_builds_in_progress')).toBe(1)
  first.clock.advance(2 * 3_600_000)
  await first.round()
  expect((await first.scrape()).get(abandoned)).toBe(0)
  first.clock.advance(60_000)
  expect((await first.scrape()).get(abandoned)).toBe(1)
  expect((await first.scrape()).get('audit_builds_in_progress')).toBe(0)
  await first.crash()
  const second = await startExporter({ roots: [root], state, clock: first.clock })
  expect((await second.scrape()).get(abandoned)).toBe(1)
})

test('a build does not time out while an entry that is already written has not been read', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry({ timestamp: '2026-11-20T11:59:00.000Z' })))
  let fails = false
  const exporter = await startExporter({
    roots: [root],
    state,
    wrapStore: (store) => ({
      ...store,
      commit(parts) {
        if (fails) throw new Error('injected: the disk is full')
        store.commit(parts)
      },
    }),
  })
  // The disk is full for longer than the build may be idle; meanwhile it passes.
  fails = true
  appendFileSync(
    file,
    lines(entry({ step_name: 'verify', validation_status: 'pass', timestamp: '2026-11-20T12:01:00.000Z' })),
  )
  exporter.clock.advance(2 * 3_600_000)
  await exporter.scrape()
  fails = false
  // Nobody has looked at everything since, or not all that was found is read.
  exporter.afterRound({ drained: true, foundUpToMs: undefined })
  exporter.afterRound({ drained: false, foundUpToMs: exporter.clock.wallMs() })
  await exporter.round()
  await exporter.scrape()
  exporter.clock.advance(60_000)
  await exporter.round()
  const builds = [...(await exporter.scrape())].filter(([key]) => key.startsWith('audit_builds_total'))
  expect(builds).toEqual([
    [seriesKey('audit_builds_total', { outcome: 'first_pass', context_hash: 'unknown' }), 1],
  ])
})

test('a first pass that takes long closes no build that was busy when it began', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry({ timestamp: '2026-11-20T11:59:00.000Z' })))
  const clock = createManualClock(NOON)
  const exporter = await startExporter({
    roots: [root],
    state,
    clock,
    fs: {
      ...nodeFileSystem,
      open(at) {
        clock.advance(2 * 3_600_000)
        return nodeFileSystem.open(at)
      },
    },
  })
  expect((await exporter.scrape()).get('audit_builds_in_progress')).toBe(1)
})

test('what cannot be read for a moment at the very first start belongs to the baseline all the same', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry(), entry()))
  let refusals = 3
  const clock = createManualClock(NOON)
  const exporter = await startExporter({
    roots: [root],
    state,
    clock,
    fs: {
      ...nodeFileSystem,
      statAll: undefined,
      stat(at) {
        clock.advance(1_000)
        return nodeFileSystem.stat(at)
      },
      open: (at) =>
        refusals-- > 0
          ? Promise.reject(Object.assign(new Error('EMFILE: injected'), { code: 'EMFILE' }))
          : nodeFileSystem.open(at),
    },
  })
  expect(await count(exporter)).toBe(2)
})

test('what may not be read does not keep the first pass from its end', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, lines(entry()))
  const exporter = await startExporter({
    roots: [root],
    state,
    fs: {
      ...nodeFileSystem,
      open: () => Promise.reject(Object.assign(new Error('EACCES: injected'), { code: 'EACCES' })),
    },
  })
  expect(exporter.ready()).toBe(true)
})

test('a new series is shown at zero until a scrape has seen it and the hold has passed', async () => {
  const { root, state, file } = setUp()
  writeFileSync(file, '')
  const exporter = await startExporter({ roots: [root], state })
  appendFileSync(file, lines(entry()))
  await exporter.round()
  expect(await count(exporter)).toBe(0)
  exporter.clock.advance(29_000)
  appendFileSync(file, lines(entry()))
  await exporter.round()
  expect(await count(exporter)).toBe(0)
  exporter.clock.advance(1_000)
  expect(await count(exporter)).toBe(2)
  appendFileSync(file, lines(entry()))
  await exporter.round()
  expect(await count(exporter)).toBe(3)
})

test('a crash right after a file was found, and after a rename: any new name leads to it', async () => {
  const { root, state, file } = setUp()
  const first = await startExporter({ roots: [root], state })
  writeFileSync(file, lines(entry(), entry()))
  await first.tail.look(file)
  await first.tail.drain()
  await first.crash()
  renameSync(file, path.join(root, 'elsewhere'))
  writeFileSync(file, lines(entry()))
  const second = await startExporter({ roots: [root], state })
  appendFileSync(path.join(root, 'elsewhere'), lines(entry()))
  await second.crash()
  const third = await startExporter({ roots: [root], state })
  await third.scrape()
  third.clock.advance(60_000)
  expect(await count(third)).toBe(4)
})

test('the first pass ends when watchers are in place, or after half a minute without them', async () => {
  const { root, state } = setUp()
  let rests = 0
  let watch = (): void => undefined
  const watching = new Promise<void>((resolve) => (watch = resolve))
  const waitToRetry = (): Promise<void> => {
    if (++rests === 3) watch()
    return new Promise((resolve) => setImmediate(resolve))
  }
  const exporter = openExporter({ roots: [root], state, waitToRetry })
  await exporter.firstPass(watching)
  expect([exporter.ready(), rests]).toEqual([true, 3])
  await exporter.crash()
  const patient = openExporter({ roots: [root], state, waitToRetry })
  await patient.firstPass(new Promise(() => undefined))
  expect([patient.ready(), rests]).toEqual([true, 33])
})
