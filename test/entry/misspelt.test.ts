import { expect, test } from 'vitest'
import { FIELD_NAMES } from '../../src/entry/fields.ts'
import { misspeltKeys } from '../../src/entry/misspelt.ts'

const meantBy = (key: string): string | undefined => misspeltKeys(JSON.stringify({ [key]: 1 }))[0]?.meant

test.each([
  ['promptTokenCount', 'prompt_token_count'],
  ['PROMPT_TOKEN_COUNT', 'prompt_token_count'],
  ['prompt-token-count', 'prompt_token_count'],
  ['prompt_tokens_count', 'prompt_token_count'],
  ['promt_token_count', 'prompt_token_count'],
  ['prompt_tokne_counts', 'prompt_token_count'],
  ['workflowRunID', 'workflow_run_id'],
  ['validation_stauts', 'validation_status'],
  ['error_typ', 'error_type'],
  ['cost-usd', 'cost_usd'],
  ['Model', 'model'],
  ['modle', 'model'],
])('%s looks like %s', (key, meant) => {
  expect(meantBy(key)).toBe(meant)
})

test.each([
  'mode',
  'models',
  'entry_id',
  'estimated_fields',
  'project',
  'success',
  'error',
  'tokens',
  '',
  '_',
])('the unknown key "%s" looks like no field', (key) => {
  expect(meantBy(key)).toBeUndefined()
})

test('no field looks like a misspelt other one', () => {
  expect(FIELD_NAMES.map(meantBy)).toEqual(FIELD_NAMES.map(() => undefined))
})
