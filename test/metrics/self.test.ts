import { expect, test } from 'vitest'
import { createEngineWorld } from '../setup/engine.ts'
import { parseExposition, seriesKey } from '../setup/exposition.ts'

test('a self-metric that fails is missing and told of; the exact series are all there', async () => {
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
