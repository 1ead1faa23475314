import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeMonotonic } from '../../src/history/file-clock.ts'

const NOW = 1_000

function made(...times: number[]): number[] {
  const changed = Float64Array.from(times)
  makeMonotonic(changed, NOW)
  return [...changed]
}

test.each([
  ['times in order stay', [1, 1, 2, 5], [1, 1, 2, 5]],
  ['one late time moves no other line', [1, 900, 2, 3], [1, 1, 2, 3]],
  ['one early time moves no other line', [5, 6, 0, 7, 8], [5, 6, 6, 7, 8]],
  ['of two times that exclude each other the later stays', [5, 0], [5, 5]],
  ['lines above the first kept time take that time', [900, 800, 1, 2, 3], [1, 1, 1, 2, 3]],
  ['a time in the future becomes that of the line above, also at the end', [1, 2000, 2, 3000], [1, 1, 2, 2]],
  ['a time in the future at the start becomes that of the line below', [2000, 2, 3], [2, 2, 3]],
  ['if all times are in the future, all become the earliest', [3000, 2000, 4000], [2000, 2000, 2000]],
])('%s', (_, times, expected) => {
  expect(made(...times)).toEqual(expected)
})

test('the result never decreases, and no longer series of the times could have stayed', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 12 }), (times) => {
      const result = made(...times)
      for (let i = 1; i < times.length; i++) expect(result[i]).toBeGreaterThanOrEqual(result[i - 1] as number)
      // The obvious algorithm, in quadratic time.
      const lengths: number[] = []
      for (const [i, time] of times.entries())
        lengths[i] = 1 + Math.max(0, ...lengths.filter((_, before) => (times[before] as number) <= time))
      const kept = result.filter((time, i) => time === times[i]).length
      expect(kept).toBeGreaterThanOrEqual(Math.max(...lengths))
    }),
  )
})
