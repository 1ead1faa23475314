import type { HrTime } from '@opentelemetry/api'
import { DataPointType, type MetricProducer } from '@opentelemetry/sdk-metrics'
import { expect, onTestFinished, test } from 'vitest'
import { createContexts } from '../../src/metrics/contexts.ts'
import { createLedger, type Ledger } from '../../src/metrics/ledger.ts'
import { createProducer } from '../../src/metrics/producer.ts'
import { openStore, type Store } from '../../src/state/store.ts'
import { createEngineWorld } from '../setup/engine.ts'
import { createManualClock, NOON, temporaryDirectory, type ManualClock } from '../setup/exporter.ts'

interface Producing {
  readonly store: Store
  readonly ledger: Ledger
  readonly producer: MetricProducer
}

function start(state: string, clock: ManualClock): Producing {
  const store = openStore(state, clock.wallMs())
  const ledger = createLedger(store, {
    baselineEnded: true,
    isHidden: () => false,
    nowMs: () => clock.wallMs(),
  })
  const contexts = createContexts(store, {
    cap: 1,
    idleMs: 1,
    onHide: () => undefined,
    onUnhide: () => undefined,
  })
  const producer = createProducer({
    reader: 'scrape',
    ledger,
    contexts,
    clock,
    histogramBuckets: 'all',
    buildsInProgress: () => 0,
    lastEntryMs: () => clock.wallMs(),
  })
  return { store, ledger, producer }
}

const ms = ([seconds, nanoseconds]: HrTime): number => seconds * 1000 + nanoseconds / 1e6

/** Start and end of every point, in milliseconds since noon, by metric. */
async function intervals(producer: MetricProducer): Promise<Record<string, number[][]>> {
  const { resourceMetrics } = await producer.collect()
  const found: Record<string, number[][]> = {}
  for (const { descriptor, dataPoints, dataPointType } of resourceMetrics.scopeMetrics[0]?.metrics ?? []) {
    if (dataPoints.length === 0 || dataPointType === DataPointType.GAUGE) continue
    found[descriptor.name] = dataPoints.map(({ startTime, endTime }) => [
      ms(startTime) - NOON,
      ms(endTime) - NOON,
    ])
  }
  return found
}

test('the points of a series start at its birth, also after a restart, and never end before they start', async () => {
  const state = temporaryDirectory()
  const clock = createManualClock(NOON)
  clock.advance(1_500)
  const first = start(state, clock)
  first.ledger.add(first.ledger.series('builds', ['failed', 'unknown']), 1)
  clock.advance(500)
  first.ledger.observe(first.ledger.series('buildTokenCost', ['failed']), 10)
  first.store.commit([first.ledger])
  clock.advance(1_000)
  const expected = {
    'audit.builds': [[1_500, 3_000]],
    'audit.overall_builds': [[1_500, 3_000]],
    'audit.build_token_cost': [[2_000, 3_000]],
  }
  expect(await intervals(first.producer)).toEqual(expected)
  first.store.close()

  clock.advance(60_000)
  const second = start(state, clock)
  onTestFinished(() => second.store.close())
  expect(await intervals(second.producer)).toEqual({
    'audit.builds': [[1_500, 63_000]],
    'audit.overall_builds': [[1_500, 63_000]],
    'audit.build_token_cost': [[2_000, 63_000]],
  })
  clock.jump(-3_600_000)
  for (const [point] of Object.values(await intervals(second.producer))) expect(point?.[0]).toBe(point?.[1])
})

test('without buckets a histogram has the same sum and count, and one bucket for everything', async () => {
  const before = [{ prompt_token_count: 300 }, { prompt_token_count: 9_000 }]
  const world = await createEngineWorld({ before })
  const all = await world.scrape({ lost: true })
  const few = await createEngineWorld({ before, flags: { histogramBuckets: 'none' } })
  const found = await few.scrape({ lost: true })
  const isBucket = (key: string): boolean => /^audit_(?!exporter).*_bucket/.test(key) && !key.includes('+Inf')
  const expected = [...all].filter(([key]) => !isBucket(key))
  expect([...found.keys()].toSorted()).toEqual(expected.map(([key]) => key).toSorted())
  const labels = '{phase="scaffold",step="scaffold"}'
  expect(found.get(`audit_step_token_cost_sum${labels}`)).toBe(9_300)
  expect(found.get(`audit_step_token_cost_count${labels}`)).toBe(2)
  expect(all.size - found.size).toBeGreaterThan(20)
})
