import { expect, test } from 'vitest'
import type { Insight } from '../../src/audits/schema.ts'
import { costOf } from '../../src/audits/words.ts'

const insight = (id: string, tokens: number | null, partOf: string | null = null): Insight => ({
  id,
  kind: 'finding',
  title: '',
  evidence: '',
  tokens,
  part_of: partOf,
  change: '',
  verify: '',
})

test('an insight whose tokens are part of those of another one names it by its number in the list', () => {
  const listed = [insight('other', 9_000), insight('whole', 5_000), insight('part', 1_200, 'whole')]
  expect(listed.map((one) => costOf(one, listed))).toEqual([
    'costs up to 9,000 tokens',
    'costs up to 5,000 tokens',
    'costs up to 1,200 tokens, which are part of those of number 2',
  ])
})

test('an unknown cost is not stated', () => {
  expect(costOf(insight('a', null), [])).toBeUndefined()
})
