import { expect, test } from 'vitest'
import { createEngineWorld } from '../setup/engine.ts'
import { NOON } from '../setup/exporter.ts'

type Fields = Record<string, unknown>

/** What stands at a first start of these entries, one minute apart. */
async function counted(...entries: readonly Fields[]) {
  const before = entries.map((fields, i) => ({
    timestamp: new Date(NOON - 600_000 + i * 60_000).toISOString(),
    ...fields,
  }))
  return sumsOf(await (await createEngineWorld({ before })).scrape())
}

/** The sums of a metric by one of its labels. */
const sumsOf =
  (scraped: ReadonlyMap<string, number>) =>
  (metric: string, label: string): Record<string, number> => {
    const sums: Record<string, number> = {}
    for (const [key, value] of scraped) {
      if (!key.startsWith(`${metric}{`)) continue
      const name = new RegExp(`[{,]${label}="([^"]*)"`, 'u').exec(key)?.[1] ?? ''
      sums[name] = (sums[name] ?? 0) + value
    }
    return sums
  }

test('tokens of entries with only one known part are tokens of their step and of their build, late ones too', async () => {
  const sums = await counted(
    { step_name: 'implement', completion_token_count: 500 },
    { step_name: 'verify', prompt_token_count: 70, validation_status: 'pass' },
    { step_name: 'report', completion_token_count: 3 },
  )
  expect(sums('audit_tokens_total', 'type')).toEqual({ prompt: 70, completion: 503 })
  expect(sums('audit_step_token_cost_sum', 'step')).toEqual({ implement: 500, verify: 70, report: 3 })
  expect(sums('audit_build_token_cost_sum', 'outcome')).toEqual({ first_pass: 570 })
  expect(sums('audit_build_tokens_total', 'outcome')).toEqual({ first_pass: 573 })
})

test.each([
  ['prompt', { prompt_token_count: 100, total_token_cost: 50 }],
  ['completion', { completion_token_count: 100, total_token_cost: 50 }],
])(
  'a total smaller than the %s alone loses against it, everywhere and not in silence',
  async (part, fields) => {
    const sums = await counted({
      step_name: 'verify',
      instruction_version: 'x',
      validation_status: 'pass',
      ...fields,
    })
    expect(sums('audit_tokens_total', 'type')).toEqual({ [part]: 100 })
    expect(sums('audit_instruction_tokens_total', 'type')).toEqual({ [part]: 100 })
    expect(sums('audit_build_tokens_total', 'outcome')).toEqual({ first_pass: 100 })
    expect(sums('audit_exporter_entry_warnings_total', 'reason')).toMatchObject({ total_mismatch: 1 })
  },
)

test('late tokens stay with the context that their build closed with; late entries go on with the latest, also over a restart', async () => {
  const [a, b] = ['a'.repeat(12), 'b'.repeat(12)]
  const world = await createEngineWorld({
    before: [
      {
        step_name: 'verify',
        validation_status: 'pass',
        total_token_cost: 5,
        context_file_hash: 'a'.repeat(64),
      },
      { step_name: 'implement', total_token_cost: 7, context_file_hash: 'b'.repeat(64) },
    ],
  })
  await world.restart()
  world.append({ step_name: 'implement', total_token_cost: 1 })
  await world.read()
  await world.scrape()
  world.clock.advance(30_000)
  const sums = sumsOf(await world.scrape())
  expect(sums('audit_builds_total', 'context_hash')).toEqual({ [a]: 1 })
  expect(sums('audit_build_tokens_total', 'context_hash')).toEqual({ [a]: 13 })
  expect(sums('audit_tokens_total', 'context_hash')).toEqual({ [a]: 5, [b]: 8 })
})

test('a fix that fails without an error type of its own leaves the next fix the type that it answered', async () => {
  const sums = await counted(
    { step_name: 'verify', validation_status: 'fail', validation_error_type: 'TSC_ERROR' },
    { step_name: 'fix_1', validation_status: 'fail' },
    { step_name: 'fix_2' },
  )
  expect(sums('audit_entries_total', 'error_type')).toEqual({ TSC_ERROR: 3 })
})

test('an entry dated 2099 neither keeps its build open nor hides a later silence, also over a restart', async () => {
  const world = await createEngineWorld({ flags: { buildTimeout: '10m' } })
  world.append({ timestamp: '2099-01-01T00:00:00.000Z', total_token_cost: 3 })
  await world.read()
  const readAtMs = world.clock.wallMs()
  for (const restart of [false, true]) {
    if (restart) await world.restart()
    const scraped = await world.scrape()
    expect(scraped.get('audit_last_entry_timestamp_seconds')).toBe(readAtMs / 1000)
    expect(scraped.get('audit_builds_in_progress')).toBe(1)
  }
  world.clock.advance(10 * 60_000 + 1)
  await world.read()
  expect((await world.scrape()).get('audit_builds_in_progress')).toBe(0)
})
