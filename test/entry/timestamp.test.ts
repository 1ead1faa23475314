import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseTimestamp } from '../../src/entry/timestamp.ts'

test.each([
  ['2026-11-20T09:00:00.123Z'],
  ['2026-11-20T09:00:00Z'],
  ['2026-11-20T09:00:00.123456+05:30'],
  ['2024-02-29T23:59:59.999Z'],
  ['2026-11-20T09:00:00-08:00'],
])('%s is read as Date.parse reads it', (text) => {
  expect(parseTimestamp(text)).toBe(Date.parse(text))
})

test.each([
  ['2026-11-20T24:00:00.000Z'],
  ['2026-11-20T09:60:00.000Z'],
  ['2025-02-29T09:00:00.000Z'],
  ['2026-11-20T09:00:00.000'],
  ['yesterday'],
  [''],
])('%s is not accepted as a time', (text) => {
  expect(parseTimestamp('2025-02-28T09:00:00.000Z')).toBeDefined()
  expect(parseTimestamp(text)).toBeUndefined()
})

test('any time that Date writes is read back', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }), (date) => {
      expect(parseTimestamp(date.toISOString())).toBe(date.getTime())
    }),
  )
})
