import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPlainEntry } from '../../src/entry/plain.ts'
import { entrySchema } from '../../src/entry/schema.ts'
import { entry } from '../setup/entries.ts'

const anyField = fc.oneof(
  fc.constantFrom(
    null,
    '',
    'x',
    'N/A',
    'pass',
    'fail',
    'PASS',
    'n/a',
    0,
    1,
    -1,
    1.5,
    1e16,
    Number.MAX_SAFE_INTEGER,
    true,
  ),
  fc.array(fc.constantFrom('a', null, 1), { maxLength: 2 }),
  fc.string(),
)

test('the fast check accepts exactly what the schema accepts and leaves as it is', () => {
  const keys = Object.keys(entrySchema.shape)
  const anyStatus = fc.constantFrom('PASS', 'Fail', 'n/a', 'pass', 'passed')
  const given = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...keys), anyField) },
    // Else what the schema changes would be too rare to be sure of.
    { weight: 1, arbitrary: fc.tuple(fc.constant('validation_status'), anyStatus) },
  )
  const anyEntry = fc
    .array(given, { maxLength: 4 })
    .map((fields) => ({ ...entry(), ...Object.fromEntries(fields) }))
  const seen = { plain: 0, changed: 0 }
  fc.assert(
    fc.property(anyEntry, (value) => {
      const checked = entrySchema.safeParse(value)
      const isUnchanged = checked.success && isDeepStrictEqual(checked.data, value)
      if (isUnchanged) seen.plain++
      else if (checked.success) seen.changed++
      expect(isPlainEntry(value)).toBe(isUnchanged)
    }),
    { numRuns: 3_000 },
  )
  expect(seen.plain).toBeGreaterThan(0)
  expect(seen.changed).toBeGreaterThan(0)
})
