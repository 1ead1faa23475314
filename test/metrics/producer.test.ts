import type { HrTime } from '@opentelemetry/api'
import { DataPointType, type MetricProducer } from '@opentelemetry/sdk-metrics'
import { expect, onTestFinished, test } from 'vitest'
import { createContexts } from '../../src/metrics/contexts.ts'
import { createLedger, type Ledger } from '../../src/metrics/ledger.ts'
import { createProducer } from '../../src/metrics/producer.ts'
import { openStore, type Store } from '../../src/state/store.ts'
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
  const expected = { 'audit.builds': [[1_500, 3_000]], 'audit.build_token_cost': [[2_000, 3_000]] }
  expect(await intervals(first.producer)).toEqual(expected)
  first.store.close()

  clock.advance(60_000)
  const second = start(state, clock)
  onTestFinished(() => second.store.close())
  expect(await intervals(second.producer)).toEqual({
    'audit.builds': [[1_500, 63_000]],
    'audit.build_token_cost': [[2_000, 63_000]],
  })
  clock.jump(-3_600_000)
  for (const [point] of Object.values(await intervals(second.producer))) expect(point?.[0]).toBe(point?.[1])
})
