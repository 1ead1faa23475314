import { expect, test } from 'vitest'
import { evidenceOf } from '../../src/audits/evidence.ts'
import type { Comparison } from '../../src/audits/schema.ts'

const comparison: Comparison = {
  n: [300, 200],
  first: 0.637,
  second: 0.309,
  difference: { value: -0.328, low: -0.4, high: -0.25 },
  agrees: true,
  test: "Fisher's exact test",
  p: 0.001,
  q: 0.002,
  batches: 12,
  design_effect: 1,
}
const rest = "in 12 batches; Fisher's exact test, p = 0.0010, after correction = 0.0020."

test('a share goes from the worse side to the better one, also if the better one is the first', () => {
  expect(evidenceOf(comparison, 'share', { first: 'fix-2', second: 'fix-1', secondIsBetter: false })).toBe(
    `fix-1 30.9 % to fix-2 63.7 %, +32.8 points (95 % interval +25.0 points to +40.0 points); n = 200 and 300 ${rest}`,
  )
})

test('tokens go from the worse side to the better one: down', () => {
  const tokens = {
    ...comparison,
    first: 900,
    second: 700,
    difference: { value: -200, low: -300, high: -100 },
  }
  expect(evidenceOf(tokens, 'tokens', { first: 'long', second: 'short', secondIsBetter: true })).toBe(
    `long 900 to short 700, -200 tokens (95 % interval -300 to -100); n = 300 and 200 ${rest}`,
  )
})
