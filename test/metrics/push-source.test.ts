import { expect, test } from 'vitest'
import { createEngineWorld, type EngineOptions, type EngineWorld } from '../setup/engine.ts'
import { seriesKey } from '../setup/exposition.ts'

const HOLD_MS = 30_000

const FIXES = seriesKey('audit_entries_total', {
  step: 'fix',
  phase: 'rework',
  status: 'N/A',
  error_type: '',
  context_hash: 'unknown',
})

const pushing = (options: EngineOptions = {}): Promise<EngineWorld> =>
  createEngineWorld({ pushes: true, ...options })

const pushed = async (world: EngineWorld, how?: { lost: boolean }): Promise<number | undefined> =>
  (await world.exporter.push(how)).get(FIXES)

const scraped = async (world: EngineWorld): Promise<number | undefined> => (await world.scrape()).get(FIXES)

async function fix(world: EngineWorld): Promise<void> {
  world.append({ step_name: 'fix' })
  await world.read()
}

test('what stands in the files at the very first start is pushed at its full value', async () => {
  const world = await pushing({ before: [{ step_name: 'fix' }, { step_name: 'fix' }] })
  expect(await pushed(world)).toBe(2)
})

test('a new series is pushed at zero until an export was accepted, then at once with its value', async () => {
  const world = await pushing()
  await fix(world)
  expect(await pushed(world, { lost: true })).toBe(0)
  world.clock.advance(10 * HOLD_MS)
  expect(await pushed(world)).toBe(0)
  await fix(world)
  expect(await pushed(world)).toBe(2)
})

test('a scrape says nothing about pushes, and a push nothing about scrapes', async () => {
  const world = await pushing()
  await fix(world)
  expect(await scraped(world)).toBe(0)
  world.clock.advance(HOLD_MS)
  expect(await scraped(world)).toBe(1)
  expect(await pushed(world)).toBe(0)
  expect(await pushed(world)).toBe(1)

  world.append({ step_name: 'fix', validation_status: 'fail' })
  await world.read()
  const FAILED = FIXES.replace('N/A', 'fail')
  const both = async (): Promise<(number | undefined)[]> => [
    (await world.exporter.push()).get(FAILED),
    (await world.scrape()).get(FAILED),
  ]
  expect(await both()).toEqual([0, 0])
  expect(await both()).toEqual([1, 0])
  world.clock.advance(HOLD_MS)
  expect(await both()).toEqual([1, 1])
})

test('an accepted zero that was not committed before a crash is pushed again; a value that was pushed never falls', async () => {
  const world = await pushing()
  await fix(world)
  expect(await pushed(world)).toBe(0)
  await world.restart()
  expect(await pushed(world)).toBe(0)
  expect(await pushed(world)).toBe(1)
  await world.restart()
  expect(await pushed(world)).toBe(1)
})

test('without a commit to the disk the step from zero to the value is not pushed', async () => {
  let full = false
  const world = await pushing({
    wrapStore: (store) => ({
      ...store,
      commit(parts) {
        if (full) throw new Error('disk full')
        store.commit(parts)
      },
    }),
  })
  await fix(world)
  expect(await pushed(world)).toBe(0)
  full = true
  expect(await pushed(world)).toBe(0)
  full = false
  expect(await pushed(world)).toBe(1)
})

test('a series that waits for its first push goes on waiting when pushes are off for a while', async () => {
  const options = { pushes: true }
  const world = await createEngineWorld(options)
  await fix(world)
  world.exporter.commits.commit()
  options.pushes = false
  await world.restart()
  await fix(world)
  await world.scrape()
  options.pushes = true
  await world.restart()
  expect(await pushed(world)).toBe(0)
  expect(await pushed(world)).toBe(2)
})

test('what was counted before pushes were turned on is their baseline', async () => {
  const options = { pushes: false }
  const world = await createEngineWorld(options)
  await fix(world)
  await fix(world)
  world.exporter.commits.commit()
  options.pushes = true
  await world.restart()
  expect(await pushed(world)).toBe(2)
})

test('a revision that returns to the metrics starts with what was last pushed', async () => {
  const world = await pushing({ flags: { maxContextHashes: '1', contextIdle: '1h' } })
  const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
  const of = (hash: string): string => FIXES.replace('unknown', hash.slice(0, 12))
  const write = async (hash: string): Promise<void> => {
    world.append({ step_name: 'fix', context_file_hash: hash })
    await world.read()
  }
  await write(a)
  await world.exporter.push()
  expect((await world.exporter.push()).get(of(a))).toBe(1)
  world.clock.advance(7_200_000)
  await write(b)
  expect((await world.exporter.push()).has(of(a))).toBe(false)
  world.clock.advance(7_200_000)
  await write(a)
  expect((await world.exporter.push()).get(of(a))).toBe(1)
  expect((await world.exporter.push()).get(of(a))).toBe(2)
})

test('what no accepted export contained is known', async () => {
  const world = await pushing()
  await world.exporter.push()
  const { pushSource } = world.exporter
  expect(pushSource?.shown()).toMatchObject({ unshownSeries: 0, unshownEntries: 0 })
  await fix(world)
  world.exporter.commits.commit()
  expect(pushSource?.shown().unshownEntries).toBe(1)
  await world.scrape()
  await world.exporter.push()
  expect(pushSource?.shown().unshownEntries).toBe(1)
  await world.exporter.push()
  expect(pushSource?.shown()).toMatchObject({ unshownSeries: 0, unshownEntries: 0 })
})

test('a metric without points is left out: Prometheus would answer 500 and take nothing of that export', async () => {
  const { exporter } = await pushing()
  exporter.exposition.meter.createObservableGauge('nothing_yet').addCallback(() => undefined)
  const { resourceMetrics } = await exporter.pushSource!.collect()
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)
  expect(metrics.map(({ dataPoints }) => dataPoints.length)).not.toContain(0)
  expect(metrics.map(({ descriptor }) => descriptor.name)).not.toContain('nothing_yet')
})
