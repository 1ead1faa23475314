import { expect, test } from 'vitest'
import { createEngineWorld, type EngineWorld } from '../setup/engine.ts'

const HOLD_MS = 30_000

const fixes = (world: EngineWorld): Promise<number | undefined> =>
  world.peek('audit_entries_total', {
    step: 'fix',
    phase: 'rework',
    status: 'N/A',
    error_type: '',
    context_hash: 'unknown',
  })

test('what stands in the files at the very first start is shown at its full value', async () => {
  const world = await createEngineWorld({ before: [{ step_name: 'fix' }, { step_name: 'fix' }] })
  expect(await fixes(world)).toBe(2)
})

test('a new series stays at zero until a scrape has seen it and the hold has passed', async () => {
  const world = await createEngineWorld()
  world.append({ step_name: 'fix' })
  await world.read()
  world.clock.advance(10 * HOLD_MS)
  expect(await fixes(world)).toBe(0)
  await world.scrape()
  world.append({ step_name: 'fix' })
  await world.read()
  world.clock.advance(HOLD_MS - 1)
  expect(await fixes(world)).toBe(0)
  world.clock.advance(1)
  expect(await fixes(world)).toBe(2)
})

test('an answer that did not go out whole is no scrape', async () => {
  const world = await createEngineWorld()
  world.append({ step_name: 'fix' })
  await world.read()
  await world.scrape({ lost: true })
  world.clock.advance(2 * HOLD_MS)
  expect(await fixes(world)).toBe(0)
})

test('a series counted but never scraped before a crash is born at zero after it', async () => {
  const world = await createEngineWorld()
  world.append({ step_name: 'fix' })
  await world.read()
  world.exporter.commits.commit()
  await world.restart()
  world.clock.advance(2 * HOLD_MS)
  expect(await fixes(world)).toBe(0)
  await world.scrape()
  world.clock.advance(HOLD_MS)
  expect(await fixes(world)).toBe(1)
})

test('a series that appears while the exporter is down is born at zero', async () => {
  const world = await createEngineWorld()
  world.append({ step_name: 'fix' })
  await world.restart()
  expect(await fixes(world)).toBe(0)
})

test('a series seen at zero before a crash is held anew after it, then let go for good', async () => {
  const world = await createEngineWorld()
  world.append({ step_name: 'fix' })
  await world.read()
  await world.scrape()
  world.exporter.commits.commit()
  await world.restart()
  expect(await fixes(world)).toBe(0)
  world.clock.advance(HOLD_MS)
  expect(await fixes(world)).toBe(1)
  await world.restart()
  expect(await fixes(world)).toBe(1)
})

test('the wall clock set back does not prolong the hold', async () => {
  const world = await createEngineWorld()
  world.append({ step_name: 'fix' })
  await world.read()
  await world.scrape()
  world.clock.advance(HOLD_MS)
  world.clock.jump(-86_400_000)
  expect(await fixes(world)).toBe(1)
})

test('what no answer has shown is known: new values until received, new series until their value is', async () => {
  const world = await createEngineWorld({ before: [{ step_name: 'fix' }] })
  const { showing } = world.exporter
  await world.scrape({ lost: true })
  expect(showing.shown().unshownEntries).toBe(1)
  expect(showing.shown().unshownSeries).toBeGreaterThan(0)
  await world.scrape()
  expect(showing.shown()).toMatchObject({ unshownSeries: 0, unshownEntries: 0 })

  world.append({ step_name: 'fix' }, { step_name: 'scaffold' })
  await world.read()
  world.exporter.commits.commit()
  expect(showing.shown().unshownEntries).toBe(2)
  await world.scrape()
  expect(showing.shown(), 'the new series has been shown at zero only').toMatchObject({ unshownEntries: 1 })
  world.clock.advance(HOLD_MS)
  await world.scrape({ lost: true })
  expect(showing.shown()).toMatchObject({ unshownEntries: 1 })
  await world.scrape()
  expect(showing.shown()).toMatchObject({ unshownSeries: 0, unshownEntries: 0 })
})

test('a new value is unshown until an answer with it was received, and a held series until its value was', async () => {
  const world = await createEngineWorld({ before: [{ step_name: 'fix' }, { step_name: 'fix' }] })
  const { showing } = world.exporter
  await world.scrape()
  const since = showing.shown().sinceMs
  world.clock.advance(1_000)
  await world.scrape()
  expect(showing.shown().sinceMs, 'nothing has changed').toBe(since)

  world.append({ step_name: 'fix' })
  await world.read()
  world.exporter.commits.commit()
  const known = showing.shown().unshownSeries
  expect(known).toBeGreaterThan(0)
  await world.scrape()
  expect(showing.shown()).toMatchObject({ unshownSeries: 0, sinceMs: since + 1_000 })

  world.append({ step_name: 'scaffold' })
  await world.read()
  await world.scrape()
  await world.scrape()
  expect(showing.shown().unshownSeries, 'only the zero was shown').toBeGreaterThan(0)
  world.clock.advance(HOLD_MS)
  await world.scrape()
  expect(showing.shown()).toMatchObject({ unshownSeries: 0, sinceMs: since + 1_000 + HOLD_MS })
  world.clock.advance(1_000)
  await world.scrape()
  await world.scrape()
  expect(showing.shown().sinceMs).toBe(since + 1_000 + HOLD_MS)
})

test('that a start was received is noted in the state, and is no change', async () => {
  const world = await createEngineWorld()
  const { showing } = world.exporter
  const before = world.exporter.ledger.revision
  world.append({ step_name: 'fix' })
  await world.read()
  await world.scrape()
  const { revision } = world.exporter.ledger
  expect(revision).toBeGreaterThan(before)
  await world.scrape()
  expect(world.exporter.ledger.revision).toBe(revision)
  expect(showing.shown().unshownEntries).toBe(1)
})

test('an answer received after a later one takes nothing back', async () => {
  const world = await createEngineWorld({ before: [{ step_name: 'fix' }, { step_name: 'fix' }] })
  const { showing } = world.exporter
  const early = showing.begin()
  world.append({ step_name: 'fix' })
  await world.read()
  await world.scrape()
  early.received()
  expect(showing.shown()).toMatchObject({ unshownSeries: 0, unshownEntries: 0 })
})

test('a reader that nobody reads after gets the value right after the start', async () => {
  const world = await createEngineWorld()
  const { showing } = world.exporter
  world.append({ step_name: 'fix' })
  await world.read()
  showing.begin({ last: true }).received()
  expect(showing.shown()).toMatchObject({ unshownEntries: 1 })
  showing.begin({ last: true }).received()
  expect(showing.shown()).toMatchObject({ unshownSeries: 0, unshownEntries: 0 })
  expect(await fixes(world)).toBe(1)
})
