import { expect, test } from 'vitest'
import { createEngineWorld } from './setup/engine.ts'
import { NOON } from './setup/exporter.ts'

const WARNINGS = 'audit_exporter_entry_warnings_total'

test('a timestamp more than a minute in the future is counted and reported as a warning', async () => {
  const at = (seconds: number): string => new Date(NOON + seconds * 1000).toISOString()
  const world = await createEngineWorld({
    before: [{ timestamp: at(-10) }, { timestamp: at(60) }, { timestamp: at(61) }],
  })
  expect(await world.peek(WARNINGS, { reason: 'timestamp_in_future' })).toBe(1)
  const warned = world.exporter.told.filter(({ event }) => event === 'entryWarned')
  expect(warned.map(({ args }) => args)).toEqual([
    [expect.objectContaining({ line: 3 }), 'timestamp_in_future'],
  ])
})

test('an entry with a warning is counted, and each of its warnings', async () => {
  const world = await createEngineWorld({
    before: [
      {
        step_name: 'fix',
        prompt_token_count: 10,
        completion_token_count: 5,
        total_token_cost: 99,
        error_log_size_chars: 5,
        rework_cost_factor: 7,
      },
    ],
  })
  expect(await world.peek(WARNINGS, { reason: 'total_mismatch' })).toBe(1)
  expect(await world.peek(WARNINGS, { reason: 'rework_cost_factor_mismatch' })).toBe(1)
  const labels = { step: 'fix', phase: 'rework', status: 'N/A', error_type: '', context_hash: 'unknown' }
  expect(await world.peek('audit_entries_total', labels)).toBe(1)
})
