import { expect, test } from 'vitest'
import { parseLine } from '../../src/entry/parse.ts'
import type { Entry } from '../../src/entry/parsed.ts'
import { entry, HASH_A } from '../setup/entries.ts'

function read(fields: Record<string, unknown>): Entry {
  const parsed = parseLine(JSON.stringify({ ...entry(), ...fields }))
  if (!parsed.ok) throw new Error(`${parsed.fault.field}: ${parsed.fault.cause}`)
  return parsed.entry
}

const faultOf = (line: string) => {
  const parsed = parseLine(line)
  return parsed.ok ? undefined : parsed.fault
}

test('null means absent, unknown keys are ignored', () => {
  const parsed = read({
    prompt_token_count: null,
    validation_status: null,
    success: false,
    extra: { deep: 1 },
  })
  expect(parsed).toMatchObject({ promptTokens: undefined, status: 'N/A' })
})

test.each([[null], [''], ['N/A'], [undefined]])('the error type %j means none', (validation_error_type) => {
  expect(read({ validation_error_type }).errorType).toBe('')
})

test('error_type is read if validation_error_type is absent', () => {
  expect(read({ error_type: 'TSC_ERROR' }).errorType).toBe('TSC_ERROR')
  expect(read({ error_type: 'TSC_ERROR', validation_error_type: null }).errorType).toBe('TSC_ERROR')
  expect(read({ error_type: 'TSC_ERROR', validation_error_type: 'JEST_FAILURE' }).errorType).toBe(
    'JEST_FAILURE',
  )
})

test('a context hash must have 64 hex digits, in upper or lower case', () => {
  expect(read({ context_file_hash: HASH_A.toUpperCase() }).contextFileHash).toBe(HASH_A)
  expect(read({ context_file_hash: 'TODO: Calculate hash of masterContext' }).contextFileHash).toBeUndefined()
  expect(read({ context_file_hash: 'g'.repeat(64) }).contextFileHash).toBeUndefined()
})

test.each([
  [{ prompt_token_count: 5, completion_token_count: 2 }, [5, 2, 7]],
  [{ prompt_token_count: 5, total_token_cost: 7 }, [5, 2, 7]],
  [{ completion_token_count: 2, total_token_cost: 7 }, [5, 2, 7]],
  [{ total_token_cost: 7 }, [undefined, undefined, 7]],
  [{ prompt_token_count: 5 }, [5, undefined, 5]],
  [{ completion_token_count: 2 }, [undefined, 2, 2]],
  [{ prompt_token_count: 0, total_token_cost: 0 }, [0, 0, 0]],
  [{ prompt_token_count: 0.1, total_token_cost: 0.7 }, [0.1, 0.7 - 0.1, 0.7]],
  [{ prompt_token_count: 0.1, completion_token_count: 0.2, total_token_cost: 0.3 }, [0.1, 0.2, 0.1 + 0.2]],
  [{}, [undefined, undefined, undefined]],
])('prompt, completion and total are derived: %j gives %j', (fields, [prompt, completion, spent]) => {
  const { promptTokens, completionTokens, spentTokens, totalMismatch } = read(fields)
  expect([promptTokens, completionTokens, spentTokens]).toEqual([prompt, completion, spent])
  expect(totalMismatch).toBe(false)
})

test('if total and parts disagree, the parts are used and totalMismatch is set', () => {
  const parsed = read({ prompt_token_count: 5, completion_token_count: 2, total_token_cost: 100 })
  expect(parsed).toMatchObject({ spentTokens: 7, totalMismatch: true })
})

test('fractions have a tolerance, whole numbers have none', () => {
  const mismatch = (prompt: number, completion: number, total: number) =>
    read({ prompt_token_count: prompt, completion_token_count: completion, total_token_cost: total })
      .totalMismatch
  expect(mismatch(0.1, 0.2, 0.31)).toBe(true)
  expect(mismatch(1e15, 1, 1e15)).toBe(true)
  expect(mismatch(1234.1, 0.7, 1234.8)).toBe(false)
})

test('if the total is below the only known part, nothing is derived and totalMismatch is set', () => {
  expect(read({ prompt_token_count: 9, total_token_cost: 7 })).toMatchObject({
    promptTokens: 9,
    completionTokens: undefined,
    spentTokens: 9,
    totalMismatch: true,
  })
  expect(read({ completion_token_count: 9, total_token_cost: 7 })).toMatchObject({
    promptTokens: undefined,
    completionTokens: 9,
    spentTokens: 9,
    totalMismatch: true,
  })
})

test.each([
  [{ prompt_token_count: 10, context_token_count: 4, instruction_token_count: 2 }, [4, 2, 4]],
  [{ prompt_token_count: 6, context_token_count: 4, instruction_token_count: 2 }, [4, 2, 0]],
  [{ total_token_cost: 12, completion_token_count: 2, context_token_count: 4 }, [4, undefined, 6]],
  [{ prompt_token_count: 10, instruction_token_count: 2 }, [undefined, 2, 8]],
  // The parts are estimates and may exceed a measured prompt.
  [{ prompt_token_count: 5, context_token_count: 4, instruction_token_count: 2 }, [4, 2, 0]],
  [{ prompt_token_count: 10 }, [undefined, undefined, undefined]],
  [{ context_token_count: 4, instruction_token_count: 2 }, [4, 2, undefined]],
])('%j: context, instruction and other tokens are %j', (fields, parts) => {
  const { contextTokens, instructionTokens, otherTokens } = read(fields)
  expect([contextTokens, instructionTokens, otherTokens]).toEqual(parts)
})

test.each([
  ['{"workflow_run_id":', 'invalid_json', ''],
  ['[]', 'schema', ''],
  ['null', 'schema', ''],
  ['"text"', 'schema', ''],
  [JSON.stringify({ ...entry(), workflow_run_id: '' }), 'schema', 'workflow_run_id'],
  [JSON.stringify({ ...entry(), step_name: undefined }), 'schema', 'step_name'],
  [JSON.stringify({ ...entry(), timestamp: '2026-11-20 11:00' }), 'schema', 'timestamp'],
  [JSON.stringify({ ...entry(), workflow_run_id: 42 }), 'schema', 'workflow_run_id'],
  [JSON.stringify({ ...entry(), timestamp: 1763632800 }), 'schema', 'timestamp'],
  [JSON.stringify({ ...entry(), timestamp: '2026-11-20T11:00:00' }), 'schema', 'timestamp'],
  [JSON.stringify({ ...entry(), timestamp: '2026-02-30T11:00:00.000Z' }), 'schema', 'timestamp'],
  [JSON.stringify({ ...entry(), prompt_token_count: '5' }), 'schema', 'prompt_token_count'],
  [JSON.stringify({ ...entry(), prompt_token_count: -1 }), 'schema', 'prompt_token_count'],
  [JSON.stringify(entry()).replace('}', ',"cost_usd":1e999}'), 'schema', 'cost_usd'],
  [JSON.stringify(entry()).replace('}', ',"cost_usd":1e300}'), 'schema', 'cost_usd'],
  [JSON.stringify({ ...entry(), validation_status: 'passed' }), 'schema', 'validation_status'],
  [JSON.stringify({ ...entry(), files_touched: ['a', 1] }), 'schema', 'files_touched.1'],
  [JSON.stringify({ ...entry(), error_full: 7 }), 'schema', 'error_full'],
])('%s is rejected as %s at "%s"', (line, reason, field) => {
  expect(faultOf(line)).toMatchObject({ reason, field })
})

test.each([
  [{ step_name: undefined }, 'step_name', 'is missing'],
  [{ step_name: null }, 'step_name', 'is missing'],
  [{ step_name: '' }, 'step_name', 'is empty'],
  [{ prompt_token_count: '5' }, 'prompt_token_count', 'without quotes: 5'],
  [{ prompt_token_count: 'many' }, 'prompt_token_count', 'is of type string, not a finite number'],
  [{ prompt_token_count: -1 }, 'prompt_token_count', 'is negative'],
  [{ workflow_run_id: 42 }, 'workflow_run_id', '"42"'],
  [{ timestamp: 1763632800 }, 'timestamp', 'like 2026-11-20T10:00:00Z'],
  [{ files_touched: 'a' }, 'files_touched', 'is of type string, not an array'],
  [{ files_touched: ['a', 7] }, 'files_touched.1', 'is 7, not a string'],
  [{ validation_status: 'Passed' }, 'validation_status', 'Write "pass"'],
  [{ validation_status: false }, 'validation_status', 'Write "fail"'],
  [{ validation_status: 'skipped' }, 'validation_status', 'is "skipped", none of pass, fail, N/A'],
  [{ validation_status: {} }, 'validation_status', 'is none of pass, fail, N/A'],
])('the fault of %j says what is wrong, and what to write where that is known', (fields, field, cause) => {
  const found = faultOf(JSON.stringify({ ...entry(), ...fields }))
  expect(found).toMatchObject({ field, cause: expect.stringContaining(cause) as string })
})

test('a number that JSON.parse has rounded is not shown as the run id to write', () => {
  const line = JSON.stringify(entry()).replace('"run-1"', '12345678901234567890')
  expect(faultOf(line)?.cause).toMatch(/in quotes$/)
})

test.each([
  ['PASS', 'pass'],
  ['Fail', 'fail'],
  ['n/a', 'N/A'],
])('the status %s is read as %s, and the rest of the line as ever', (validation_status, status) => {
  const fields = { prompt_token_count: 5, completion_token_count: null, total_token_cost: 7 }
  const { status: found, ...rest } = read({ ...fields, validation_status })
  expect(found).toBe(status)
  expect(rest).toMatchObject({ promptTokens: 5, completionTokens: 2, spentTokens: 7 })
})

test('a line that is no object says so', () => {
  for (const line of ['[]', '7', JSON.stringify(JSON.stringify(entry()))]) {
    expect(faultOf(line)).toMatchObject({
      field: '',
      cause: expect.stringContaining('not a JSON object') as string,
    })
  }
})

test('the cause of a fault is short even if the value is long', () => {
  expect(faultOf(`{"a":${'x'.repeat(1e6)}`)?.cause.length).toBeLessThan(300)
  for (const name of ['timestamp', 'validation_status', 'prompt_token_count']) {
    const line = JSON.stringify({ ...entry(), [name]: '7'.repeat(1e6) })
    expect(faultOf(line)?.cause.length).toBeLessThan(300)
  }
})

test('keys like __proto__ are data and change nothing', () => {
  const parsed = parseLine(JSON.stringify(entry()).replace('{', '{"__proto__":{"prompt_token_count":5},'))
  expect(parsed.ok && parsed.entry.promptTokens).toBe(undefined)
})
