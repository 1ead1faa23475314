import { appendFileSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createStatus, type Status } from '../../src/commands/watch-status.ts'
import { createEngineWorld } from '../setup/engine.ts'
import { openExporter, temporaryDirectory, type TestExporter } from '../setup/exporter.ts'

const statusOf = (exporter: TestExporter): Status =>
  createStatus({
    version: 'test',
    startedAtMs: exporter.clock.wallMs(),
    clock: exporter.clock,
    engine: exporter,
    stateBytes: () => 0,
  })

const fix = {
  step_name: 'fix',
  completion_token_count: 10,
  instruction_version: 'f1',
  error_log_size_chars: 5,
}

test('while the state cannot be written the page stays with the totals of the last commit', async () => {
  let full = false
  const world = await createEngineWorld({
    before: [fix],
    wrapStore: (store) => ({
      ...store,
      commit(parts) {
        if (full) throw new Error('injected: the disk is full')
        store.commit(parts)
      },
    }),
  })
  const status = statusOf(world.exporter)
  world.append({ ...fix, workflow_run_id: 'other' }, { ...fix, step_name: 'repair' })
  await world.read()
  const before = status.view()
  // What was read but is not on disk, in series old and new.
  world.append(fix, { step_name: 'verify', validation_status: 'pass' })
  full = true
  await world.exporter.tail.scan()
  await world.exporter.tail.drain()
  const meanwhile = status.view()
  const totals = ({ entries, tokens, builds, steps, audits }: typeof before) => ({
    entries,
    tokens,
    builds,
    steps,
    audits,
  })
  expect(meanwhile.stateDurable).toBe(false)
  expect(totals(meanwhile)).toEqual(totals(before))
  expect(totals(meanwhile)).toMatchObject({ entries: 3, tokens: 30 })

  full = false
  expect(totals(status.view())).toMatchObject({
    entries: 5,
    tokens: 40,
    builds: { first_pass: 0, after_rework: 1 },
  })
})

test('a series that is held at zero for Prometheus counts on the page', async () => {
  const world = await createEngineWorld()
  const status = statusOf(world.exporter)
  world.append(fix)
  await world.read()
  expect([...(await world.scrape())].filter(([key]) => key.startsWith('audit_tokens_total'))).toEqual([
    [expect.any(String), 0],
  ])
  expect(status.view()).toMatchObject({ entries: 1, tokens: 10 })
  await world.restart()
  expect(statusOf(world.exporter).view()).toMatchObject({ entries: 1, tokens: 10 })
})

test('during the first pass there is nothing to scrape and no readiness; later a full disk takes only the latter', async () => {
  let full = false
  const exporter = openExporter({
    roots: [temporaryDirectory()],
    state: temporaryDirectory(),
    wrapStore: (store) => ({
      ...store,
      commit(parts) {
        if (full) throw new Error('injected: the disk is full')
        store.commit(parts)
      },
    }),
  })
  const status = statusOf(exporter)
  const reasons = (): unknown[] => [status.noScrapeReason(), status.notReadyReason()]
  expect(reasons()).toEqual([expect.stringContaining('first pass'), expect.stringContaining('first pass')])
  await exporter.firstPass()
  expect(reasons()).toEqual([undefined, undefined])
  full = true
  exporter.commits.commit()
  expect(reasons()).toEqual([undefined, 'injected: the disk is full'])
})

test('bytes that are in the files and not read yet are the lag, on the page and as a metric', async () => {
  const world = await createEngineWorld({ before: [fix] })
  const status = statusOf(world.exporter)
  expect(status.health().lagBytes).toBe(0)
  const before = statSync(world.trace).size
  world.append(fix, fix)
  await world.exporter.tail.scan()
  const appended = statSync(world.trace).size - before
  expect(status.health()).toMatchObject({ lagBytes: appended, pendingBytes: 0 })
  expect(status.view().files).toMatchObject([{ lagBytes: appended }])
  await world.read()
  expect(status.health().lagBytes).toBe(0)
  appendFileSync(world.trace, '{"workflow')
  await world.read()
  expect(status.health()).toMatchObject({ lagBytes: 0, pendingBytes: 10 })
})
