import { expect, test } from 'vitest'
import { boundedNames } from '../../../src/capture/agent/bounded-names.ts'

test('a short list is kept as it is', () => {
  expect(boundedNames(['a', 'b'])).toEqual(['a', 'b'])
})

test('long names are cut by their total size', () => {
  const bounded = boundedNames(Array.from({ length: 1000 }, (_, i) => `${'ä'.repeat(2000)}${String(i)}`))
  expect(Buffer.byteLength(JSON.stringify(bounded))).toBeLessThan(410_000)
  expect(bounded.at(-1)).toMatch(/of 1000 files left out/)
})
