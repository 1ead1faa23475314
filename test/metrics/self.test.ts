import { expect, test } from 'vitest'
import { createLogEvents, createLogger } from '../../src/log.ts'
import { createSelfMetrics, type Health, type SelfMetrics } from '../../src/metrics/self.ts'
import { createEngineWorld, type EngineWorld } from '../setup/engine.ts'
import { parseExposition, seriesKey } from '../setup/exposition.ts'

const usage = { cpuSeconds: () => 1, residentBytes: () => 2, heapUsedBytes: () => 3, startedSeconds: 4 }

const healthy: Health = {
  version: '1.2.3',
  ready: true,
  durable: true,
  files: { hot: 1 },
  pendingBytes: 5,
  lagBytes: 6,
  series: 7,
  stateCreatedMs: 9_000,
  stateBytes: 8,
}

/** Delays of the event loop that a test sets, in seconds. */
function createDelays() {
  let delays: number[] = []
  return {
    add: (seconds: number) => void delays.push(seconds),
    percentile: () => Math.max(0, ...delays) * 1e9,
    reset: () => void (delays = []),
  }
}

interface SelfWorld {
  readonly world: EngineWorld
  readonly self: SelfMetrics
  readonly delays: ReturnType<typeof createDelays>
}

async function createSelfWorld(health: () => Health = () => healthy): Promise<SelfWorld> {
  const world = await createEngineWorld()
  const delays = createDelays()
  const self = createSelfMetrics(world.exporter.exposition.meter, health, usage, delays)
  return { world, self, delays }
}

test('a self-metric that fails is missing and reported; the exact series are all there', async () => {
  const { exporter } = await createEngineWorld({ before: [{ step_name: 'first' }] })
  const { meter, scrape } = exporter.exposition
  const gauge = (name: string, value: () => number): void =>
    meter.createObservableGauge(name).addCallback((result) => result.observe(value()))
  gauge('sound', () => 7)
  gauge('broken', () => {
    throw new Error('no such thing')
  })
  const { body, selfFaults } = await scrape()
  const scraped = parseExposition(body)
  const labels = { step: 'first', phase: 'other', status: 'N/A', error_type: '', context_hash: 'unknown' }
  expect(scraped.get(seriesKey('audit_entries_total', labels))).toBe(1)
  expect([scraped.get('sound'), scraped.get('broken')]).toEqual([7, undefined])
  expect(selfFaults.map(String)).toEqual(['Error: no such thing'])
})

test('failed file operations are counted by operation, from zero', async () => {
  const { world, self } = await createSelfWorld()
  const failures = (op: string): Promise<number | undefined> =>
    world.peek('audit_exporter_file_errors_total', { op })
  expect([await failures('open'), await failures('watch')]).toEqual([0, 0])
  const log = createLogger({ fd: 2, pretty: false }).child({}, { level: 'silent' })
  const events = createLogEvents(log, () => self, world.clock)
  events.fileFailed('/a', 'open', new Error('injected'))
  events.fileFailed('/a', 'open', new Error('injected'))
  events.fileFailed('/b', 'list', new Error('injected'))
  expect([await failures('open'), await failures('list'), await failures('watch')]).toEqual([2, 1, 0])
})

test('commits are counted from zero, and timed', async () => {
  const { world, self } = await createSelfWorld()
  const value = (name: string): Promise<number | undefined> => world.peek(name, {})
  expect(await value('audit_exporter_commits_total')).toBe(0)
  self.committed(0.25)
  self.committed(0.5)
  expect(await value('audit_exporter_commits_total')).toBe(2)
  expect(await value('audit_exporter_commit_duration_seconds_sum')).toBe(0.75)
})

test('the lag of the event loop is that since the last scrape', async () => {
  const { world, delays } = await createSelfWorld()
  const lag = (): Promise<number | undefined> => world.peek('nodejs_eventloop_lag_p99_seconds', {})
  delays.add(0.5)
  expect(await lag()).toBe(0.5)
  delays.add(0.125)
  expect(await lag()).toBe(0.125)
})

test('every gauge shows the health at the moment of the scrape', async () => {
  let health = healthy
  const { world } = await createSelfWorld(() => health)
  const values = async (): Promise<unknown[]> => {
    const scraped = await world.scrape()
    const names = [
      'pending_bytes',
      'lag_bytes',
      'series',
      'state_bytes',
      'state_created_timestamp_seconds',
      'ready',
      'state_durable',
    ]
    return names.map((name) => scraped.get(`audit_exporter_${name}`))
  }
  expect(await values()).toEqual([5, 6, 7, 8, 9, 1, 1])
  health = { ...healthy, ready: false, durable: false, lagBytes: 60, stateBytes: undefined }
  expect(await values()).toEqual([5, 60, 7, Number.NaN, 9, 0, 0])
})
