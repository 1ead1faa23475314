import { expect, test } from 'vitest'
import { createEngineWorld } from '../setup/engine.ts'
import { NOON } from '../setup/exporter.ts'

type Fields = Record<string, unknown>

/** What stands at a first start of these entries, one minute apart: the sum of a metric by one of its labels. */
async function counted(...entries: readonly Fields[]) {
  const before = entries.map((fields, i) => ({
    timestamp: new Date(NOON - 600_000 + i * 60_000).toISOString(),
    ...fields,
  }))
  const scraped = await (await createEngineWorld({ before })).scrape()
  return (metric: string, label: string): Record<string, number> => {
    const sums: Record<string, number> = {}
    for (const [key, value] of scraped) {
      if (!key.startsWith(`${metric}{`)) continue
      const name = new RegExp(`[{,]${label}="([^"]*)"`, 'u').exec(key)?.[1] ?? ''
      sums[name] = (sums[name] ?? 0) + value
    }
    return sums
  }
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
])('a total smaller than the %s alone loses against it, everywhere and not in silence', async (part, fields) => {
  const sums = await counted({ instruction_version: 'x', validation_status: 'pass', ...fields })
  expect(sums('audit_tokens_total', 'type')).toEqual({ [part]: 100 })
  expect(sums('audit_instruction_tokens_total', 'type')).toEqual({ [part]: 100 })
  expect(sums('audit_build_tokens_total', 'outcome')).toEqual({ first_pass: 100 })
  expect(sums('audit_exporter_entry_warnings_total', 'reason')).toMatchObject({ total_mismatch: 1 })
})
