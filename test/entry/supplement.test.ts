import { expect, test } from 'vitest'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { parseLine } from '../../src/entry/parse.ts'
import type { Entry } from '../../src/entry/parsed.ts'
import { priceList } from '../../src/entry/prices.ts'
import { createSupplement, type SupplementConfig } from '../../src/entry/supplement.ts'
import { entry } from '../setup/entries.ts'

const PRICES = priceList({
  pro: { input: 1.25, cached: 0.25, output: 10 },
  plain: { input: 2, output: 4 },
  ['long'.repeat(20)]: { input: 1, output: 1 },
})
const FROM_PATH = /\/builds\/(?<project>[^/]+)\//u

function completed(
  fields: Partial<OptimizationLogEntry>,
  config: SupplementConfig,
  path = '/builds/billing/1/audit_trace.jsonl',
): Entry {
  const parsed = parseLine(JSON.stringify(entry(fields)))
  if (!parsed.ok) throw new Error(parsed.fault.cause)
  return createSupplement(config, () => undefined).complete(parsed.entry, path)
}

test.each([
  ['its own', { project: 'own' }, '/builds/billing/audit_trace.jsonl', 'own'],
  ['that of its path', {}, '/builds/billing/1/audit_trace.jsonl', 'billing'],
  ['that of its path if its own is empty', { project: '' }, '/builds/billing/audit_trace.jsonl', 'billing'],
  ['none if the pattern does not match its path', {}, '/elsewhere/audit_trace.jsonl', undefined],
  ['a name cut to 64 characters', {}, `/builds/${'x'.repeat(80)}/audit_trace.jsonl`, 'x'.repeat(64)],
])('the project of an entry is %s', (_, fields, path, project) => {
  expect(completed(fields, { projectFromPath: FROM_PATH }, path).project).toBe(project)
})

test('without a pattern a path says nothing about projects', () => {
  expect(completed({}, {}).project).toBeUndefined()
})

const split = { prompt_token_count: 1_000_000, completion_token_count: 100_000 }

test.each<[string, Partial<OptimizationLogEntry>, number | undefined]>([
  ['of input and output', { ...split, model: 'pro' }, 2.25],
  ['of the cached part of the input', { ...split, model: 'pro', cached_token_count: 800_000 }, 1.45],
  ['of input where cached tokens have no price', { ...split, model: 'plain', cached_token_count: 9 }, 2.4],
  ['of at most the whole prompt as cached', { ...split, model: 'pro', cached_token_count: 2e6 }, 1.25],
  ['of the part that is known', { prompt_token_count: 1_000_000, model: 'pro' }, 1.25],
  [
    'of a completion without its prompt',
    { completion_token_count: 1e6, cached_token_count: 5, model: 'pro' },
    10,
  ],
  ['of a model with a long name', { ...split, model: 'long'.repeat(20) }, 1.1],
  ['nothing if no tokens were spent', { prompt_token_count: 0, completion_token_count: 0, model: 'pro' }, 0],
  ['what the entry says', { ...split, model: 'pro', cost_usd: 0 }, 0],
  ['unknown if the model has no price', { ...split, model: 'other' }, undefined],
  ['unknown if there is no model', split, undefined],
  ['unknown if only a sum is given', { total_token_cost: 5, model: 'pro' }, undefined],
  ['unknown if no tokens are given', { model: 'pro' }, undefined],
])('the cost of an entry is that %s', (_, fields, cost) => {
  const { costUsd } = completed(fields, { priceList: PRICES })
  if (cost === undefined) expect(costUsd).toBeUndefined()
  else expect(costUsd).toBeCloseTo(cost, 12)
})

test('each model without a price is named once, and each other reason for tokens without a cost', () => {
  const told: [string, string][] = []
  const { complete } = createSupplement({ priceList: PRICES }, (...about) => told.push(about))
  for (const fields of [
    { ...split, model: 'new' },
    { ...split, model: 'new' },
    { ...split, model: 'newer' },
    { ...split, model: 'priced by itself', cost_usd: 1 },
    { total_token_cost: 5, model: 'pro' },
    { total_token_cost: 5 },
    { model: 'no tokens' },
  ]) {
    const parsed = parseLine(JSON.stringify(entry(fields)))
    if (parsed.ok) complete(parsed.entry, '')
  }
  expect(told).toEqual([
    ['new', 'no_price'],
    ['newer', 'no_price'],
    ['pro', 'unsplit'],
    ['', 'no_model'],
  ])
})
