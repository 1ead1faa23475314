import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { nodeFileSystem, type FileSystem } from '../src/tail/file-system.ts'
import { entry, lines } from './setup/entries.ts'
import { openExporter, startExporter, temporaryDirectory, type TestExporter } from './setup/exporter.ts'
import { entriesKey } from './setup/series.ts'

const BUILDS = {
  passed: [entry({ validation_status: 'pass' })],
  repaired: [entry({ step_name: 'fix_attempt_1' }), entry({ validation_status: 'pass' })],
  broken: [entry(), entry({ step_name: 'verification', validation_status: 'fail' })],
  begun: [entry()],
} as const

function setUp(builds: readonly (keyof typeof BUILDS)[] = []) {
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  mkdirSync(root)
  const file = path.join(root, 'audit_trace.jsonl')
  const text = (name: keyof typeof BUILDS): string =>
    lines(...BUILDS[name].map((line) => ({ ...line, workflow_run_id: name })))
  writeFileSync(file, builds.map(text).join(''))
  return { root, state: path.join(directory, 'state'), file, text }
}

/** Closed builds by outcome, as the state has them. */
function outcomes(exporter: TestExporter): Record<string, number> {
  const totals: Record<string, number> = {}
  for (const { definition, labels, committed } of exporter.ledger.all()) {
    if (definition.name !== 'audit.builds') continue
    const outcome = labels[0] ?? ''
    totals[outcome] = (totals[outcome] ?? 0) + (committed?.[0] ?? 0)
  }
  return totals
}

const ALL = ['passed', 'repaired', 'broken', 'begun'] as const

test('at the end each open build closes by the rule of the time-out', async () => {
  const exporter = await startExporter(setUpOf(ALL))
  expect(outcomes(exporter)).toEqual({})
  expect(await exporter.finish(true)).toBe(true)
  expect(outcomes(exporter)).toEqual({ first_pass: 1, after_rework: 1, failed: 1, abandoned: 1 })
  expect(exporter.buildsInProgress()).toBe(0)
})

test('unless it is asked for, builds stay open at the end', async () => {
  const exporter = await startExporter(setUpOf(ALL))
  expect(await exporter.finish(false)).toBe(true)
  expect(exporter.buildsInProgress()).toBe(4)
})

test('a build that closed at the end stays closed after a restart, and a verdict that comes late opens no second one', async () => {
  const { root, state, file, text } = setUp(['broken'])
  const before = await startExporter({ roots: [root], state })
  await before.finish(true)
  await before.crash()
  appendFileSync(file, text('passed').replaceAll('passed', 'broken'))
  const after = await startExporter({ roots: [root], state })
  expect(outcomes(after)).toEqual({ failed: 1 })
  await after.finish(true)
  expect(outcomes(after)).toEqual({ failed: 1 })
})

test('what was written after the last round is read before builds close', async () => {
  const { root, state, file, text } = setUp(['begun'])
  const exporter = await startExporter({ roots: [root], state })
  const verdict = { workflow_run_id: 'begun', step_name: 'verification', validation_status: 'pass' } as const
  appendFileSync(file, lines(entry(verdict)))
  mkdirSync(path.join(root, 'new'))
  writeFileSync(path.join(root, 'new', 'audit_trace.jsonl'), text('broken'))
  await exporter.finish(true)
  expect(outcomes(exporter)).toEqual({ first_pass: 1, failed: 1 })
})

test('also what lies behind the place that an unfinished scan had passed is read', async () => {
  const { root, state, text } = setUp()
  for (const name of ['a', 'b', 'c']) mkdirSync(path.join(root, name))
  const exporter = await startExporter({ roots: [root], state })
  let steps = 0
  expect(await exporter.tail.scan(() => ++steps > 5)).toBe(false)
  for (const name of ['a', 'b', 'c'])
    writeFileSync(path.join(root, name, 'audit_trace.jsonl'), text('begun').replaceAll('begun', name))
  await exporter.finish(true)
  expect(outcomes(exporter)).toEqual({ abandoned: 3 })
})

test('an end before the first pass is over still reads everything', async () => {
  const exporter = openExporter(setUpOf(['passed', 'broken']))
  expect(await exporter.finish(true)).toBe(true)
  expect(exporter.ready()).toBe(true)
  expect(outcomes(exporter)).toEqual({ first_pass: 1, failed: 1 })
})

test('builds stay open if a file cannot be read: its verdict may be there', async () => {
  const { root, state } = setUp(['begun'])
  let isBroken = false
  const fs: FileSystem = {
    ...nodeFileSystem,
    open: (at) =>
      isBroken && at.endsWith('late.jsonl')
        ? Promise.reject(Object.assign(new Error('injected: EIO'), { code: 'EIO' }))
        : nodeFileSystem.open(at),
  }
  const late = path.join(path.dirname(root), 'late.jsonl')
  const exporter = await startExporter({ roots: [root, late], state, fs })
  isBroken = true
  writeFileSync(late, lines(entry()))
  expect(await exporter.finish(true)).toBe(false)
  expect(outcomes(exporter)).toEqual({})
})

const ENTRIES = entriesKey('unknown', 'implement_v1', 'implement')

test('without a baseline, what was found at the very first start counts from zero, also after a crash in its first pass', async () => {
  const { root, state, file } = setUp(['begun', 'broken'])
  const options = { roots: [root], state, flags: { baseline: 'none', newSeriesHold: '30s' } }
  const killed = openExporter(options)
  await killed.tail.scan()
  await killed.tail.drain()
  killed.commits.commit()
  await killed.crash()
  appendFileSync(file, lines(entry({ step_name: 'scaffold' })))
  // The state remembers it: the flag is not needed again.
  const exporter = await startExporter({ ...options, flags: { newSeriesHold: '30s' } })
  const entries = async (): Promise<unknown[]> =>
    [...(await exporter.scrape())]
      .filter(([key]) => /^audit_entries_total.*step="(imp|sca)/.test(key))
      .map(([, value]) => value)
  expect(await entries()).toEqual([0, 0])
  exporter.clock.advance(30_000)
  expect(await entries()).toEqual([2, 1])
})

test('a state whose first start had a baseline goes on as it was', async () => {
  const options = setUpOf(['begun'])
  const before = await startExporter(options)
  await before.scrape()
  await before.crash()
  const exporter = await startExporter({ ...options, flags: { baseline: 'none' } })
  expect((await exporter.scrape()).get(ENTRIES)).toBe(1)
})

function setUpOf(builds: readonly (keyof typeof BUILDS)[]) {
  const { root, state } = setUp(builds)
  return { roots: [root], state }
}

test('however fast a first pass is, what it has not committed stays bounded', async () => {
  const { root, state, file } = setUp()
  const builds = 45_000
  writeFileSync(
    file,
    lines(...Array.from({ length: builds }, (_, i) => entry({ workflow_run_id: `run-${i}` }))),
  )
  const rows = [0]
  // The clock of a test stands still: no time passes until the end.
  await startExporter({
    roots: [root],
    state,
    wrapStore: (store) => ({
      ...store,
      commit(parts) {
        store.commit(parts)
        rows.push(Number(store.all('SELECT count(*) AS n FROM builds')[0]?.['n']))
      },
    }),
  })
  expect(rows.at(-1)).toBe(builds)
  const written = rows.slice(1).map((n, i) => n - (rows[i] ?? 0))
  expect(Math.max(...written)).toBeLessThan(25_000)
})
