import { expect, test } from 'vitest'
import { createEngineWorld } from '../setup/engine.ts'

test('two steps whose names share their first 64 characters keep their own phases', async () => {
  const name = 'x'.repeat(64)
  const world = await createEngineWorld({
    before: [
      { step_name: `${name}-plan` },
      { step_name: `${name}-verify` },
      { step_name: `${name}-plan` },
      { step_name: `${name}-verify` },
    ],
  })
  const entries = (phase: string): Promise<number | undefined> =>
    world.peek('audit_entries_total', {
      step: name,
      phase,
      status: 'N/A',
      error_type: '',
      context_hash: 'unknown',
    })
  expect([await entries('other'), await entries('verify')]).toEqual([2, 2])
})
