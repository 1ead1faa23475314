import { truncateSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createEngineWorld } from '../setup/engine.ts'
import { seriesKey } from '../setup/exposition.ts'
import { isFreed, memoryInUse } from '../setup/memory.ts'
import { entriesKey as entries, settle } from '../setup/series.ts'

test('a new value past the cap counts as _other from its birth; values known before keep their series', async () => {
  const world = await createEngineWorld({ flags: { maxSteps: '2' } })
  world.append(
    { step_name: 'scaffold' },
    { step_name: 'plan' },
    { step_name: 'late' },
    { step_name: 'later' },
  )
  await world.read()
  const first = await settle(world)
  expect(first.get(entries('unknown', 'scaffold'))).toBe(1)
  expect(first.get(entries('unknown', '_other', 'other'))).toBe(2)
  expect(first.get('audit_exporter_label_overflow_total{label="step"}')).toBe(2)
  expect([...first.keys()].filter((key) => key.includes('late'))).toEqual([])

  await world.restart()
  world.append({ step_name: 'late' }, { step_name: 'plan' })
  await world.read()
  const second = await settle(world)
  expect(second.get(entries('unknown', '_other', 'other'))).toBe(3)
  expect(second.get(entries('unknown', 'plan', 'other'))).toBe(2)
})

test('models have a limit of their own, apart from that of instruction versions', async () => {
  const world = await createEngineWorld({ flags: { maxModels: '1', maxInstructionVersions: '2' } })
  world.append(
    { model: 'flash', cost_usd: 1, instruction_version: 'a', prompt_token_count: 1 },
    { model: 'pro', cost_usd: 2, instruction_version: 'b', prompt_token_count: 1 },
    { model: 'ultra', cost_usd: 4 },
  )
  await world.read()
  const scraped = await settle(world)
  const cost = (model: string): number | undefined =>
    scraped.get(seriesKey('audit_cost_usd_total', { phase: 'scaffold', model }))
  expect([cost('flash'), cost('_other'), cost('pro')]).toEqual([1, 6, undefined])
  expect(scraped.get('audit_exporter_label_overflow_total{label="model"}')).toBe(2)
  expect(scraped.get('audit_exporter_label_overflow_total{label="instruction_version"}')).toBe(0)
})

test('a value that is literally _other is no overflow', async () => {
  const world = await createEngineWorld({
    before: [{ step_name: '_other', validation_error_type: '_other', model: '_other', cost_usd: 1 }],
  })
  const scraped = await world.scrape()
  expect(scraped.get('audit_cost_usd_total{model="_other",phase="other"}')).toBe(1)
  const overflow = [...scraped].filter(([key]) => key.startsWith('audit_exporter_label_overflow_total'))
  expect(overflow.map(([, value]) => value)).toEqual([0, 0, 0, 0, 0])
})

test('a raised cap admits values anew, and what was counted as _other stays there', async () => {
  const flags: Record<string, unknown> = { maxErrorTypes: '1' }
  const world = await createEngineWorld({ flags })
  world.append(
    { validation_status: 'fail', validation_error_type: 'A' },
    { validation_status: 'fail', validation_error_type: 'B' },
  )
  await world.read()
  const key = (error_type: string): string =>
    seriesKey('audit_entries_total', {
      step: 'scaffold',
      phase: 'scaffold',
      status: 'fail',
      error_type,
      context_hash: 'unknown',
    })
  expect((await settle(world)).get(key('_other'))).toBe(1)
  flags['maxErrorTypes'] = '2'
  await world.restart()
  world.append({ validation_status: 'fail', validation_error_type: 'B' })
  await world.read()
  const scraped = await settle(world)
  expect([scraped.get(key('_other')), scraped.get(key('B'))]).toEqual([1, 1])
})

test('with any label value the exposition can be parsed and has no duplicate series', async () => {
  const world = await createEngineWorld({
    flags: {
      maxSteps: '1000',
      maxErrorTypes: '1000',
      maxInstructionVersions: '1000',
      maxModels: '1000',
      maxProjects: '1000',
    },
  })
  const hostile = [
    '"',
    '\\',
    '\\"',
    'a\nb',
    'a\rb',
    'a\u0000b',
    'a\u0001b',
    '\u2028',
    '\uD800',
    'x\uDC00',
    '😀'.repeat(40),
    `${'y'.repeat(63)}😀`,
    `${'y'.repeat(63)}\uD83D`,
    'z'.repeat(64),
    'z'.repeat(65),
    'z'.repeat(1_000_000),
    '__name__',
    '{le="1"}',
    '_other',
    'unknown',
    '',
    ' ',
    'N/A',
    '\uFFFD',
    'constructor',
    '__proto__',
  ]
  world.append(
    ...hostile.map((text, i) => ({
      workflow_run_id: `run-${i}`,
      step_name: text === '' ? 'empty' : text,
      validation_status: 'fail',
      validation_error_type: text,
      instruction_version: text,
      model: text,
      project: text,
      cost_usd: 1,
      prompt_token_count: 1,
      completion_token_count: 1,
    })),
  )
  await world.read()
  const scraped = await settle(world)
  const total = (name: string): number =>
    [...scraped].filter(([key]) => key.startsWith(`${name}{`)).reduce((sum, [, value]) => sum + value, 0)
  expect(total('audit_entries_total')).toBe(hostile.length)
  expect(total('audit_cost_usd_total')).toBe(hostile.length)
  await world.restart()
  expect((await world.scrape()).size).toBe(scraped.size)
})

test.each([
  'workflow_run_id',
  'step_name',
  'validation_error_type',
  'instruction_version',
  'model',
  'project',
])('a megabyte as %s is not kept in memory', async (field) => {
  const world = await createEngineWorld()
  const before = memoryInUse()
  for (let i = 0; i < 50; i++) {
    world.append({
      workflow_run_id: `run-${i}`,
      step_name: `verify-${i}`,
      validation_status: 'fail',
      cost_usd: 1,
      [field]: `${i}-${'x'.repeat(1_000_000)}`,
    })
    await world.read()
    truncateSync(world.trace, 0)
    await world.read()
  }
  await world.scrape()
  expect(await isFreed('heapUsed', before, 15_000_000)).toBe(true)
})
