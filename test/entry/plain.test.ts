import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPlainEntry } from '../../src/entry/plain.ts'
import { entrySchema } from '../../src/entry/schema.ts'
import { entry } from '../setup/entries.ts'

const anyField = fc.oneof(
  fc.constantFrom(null, '', 'x', 'N/A', 'pass', 'fail', 0, 1, -1, 1.5, 1e16, Number.MAX_SAFE_INTEGER, true),
  fc.array(fc.constantFrom('a', null, 1), { maxLength: 2 }),
  fc.string(),
)

test('the fast check accepts exactly what the schema accepts', () => {
  const keys = Object.keys(entrySchema.shape)
  const anyEntry = fc
    .array(fc.tuple(fc.constantFrom(...keys), anyField), { maxLength: 4 })
    .map((fields) => ({ ...entry(), ...Object.fromEntries(fields) }))
  let plain = 0
  fc.assert(
    fc.property(anyEntry, (value) => {
      const accepted = entrySchema.safeParse(value).success
      if (isPlainEntry(value)) plain++
      expect(isPlainEntry(value)).toBe(accepted)
    }),
    { numRuns: 3_000 },
  )
  expect(plain).toBeGreaterThan(0)
})
