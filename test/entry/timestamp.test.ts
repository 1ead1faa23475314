import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseTimestamp, timestampFault } from '../../src/entry/timestamp.ts'

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
  ['2026-11-20T10:00:00+02', '2026-11-20T08:00:00.000Z'],
  ['2026-11-20T10:00Z', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20T10:00:00,123Z', '2026-11-20T10:00:00.123Z'],
  ['20261120T100000Z', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20T10:00:00.000+0000', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20T10:00:00.5-0700', '2026-11-20T17:00:00.500Z'],
  ['20261120T1000-0730', '2026-11-20T17:30:00.000Z'],
  ['20261120T100000.25+05:30', '2026-11-20T04:30:00.250Z'],
  ['2024-02-29T00:00:00-00', '2024-02-29T00:00:00.000Z'],
  ['2026-11-20 10:00:00.123456+00:00', '2026-11-20T10:00:00.123Z'],
  ['2026-11-20 10:00:00Z', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20 10:00:00.000Z', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20 10:00:00 +0100', '2026-11-20T09:00:00.000Z'],
  ['2026-11-20 10:00:00-05', '2026-11-20T15:00:00.000Z'],
  ['2026-11-20 10:00:00 UTC', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20T10:00:00UTC', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20t10:00:00.5z', '2026-11-20T10:00:00.500Z'],
])('%s is %s', (text, instant) => {
  expect(parseTimestamp(text)).toBe(Date.parse(instant))
})

test.each([
  ['2026-11-20T10:00:00'],
  ['2026-11-20T10:00:00.123'],
  ['20261120T100000'],
  ['2026-11-20T10:00'],
  ['2026-11-20 10:00:00.123456'],
])('%s has no zone, and the fault says how to add one', (text) => {
  expect(parseTimestamp(text)).toBeUndefined()
  expect(timestampFault(text)).toMatch(/zone.*Z.*\+02:00/)
})

test.each([
  ['2026-11-20T24:00:00.000Z'],
  ['2026-11-20T09:60:00.000Z'],
  ['2025-02-29T09:00:00.000Z'],
  ['2026-11-20T09:00:00.000'],
  ['2026-11-20T10:00:00+24:00'],
  ['2026-1120T10:00:00Z'],
  ['20261120T10:00:00Z'],
  ['2100-02-29T10:00:00Z'],
  ['2026-04-31T10:00:00Z'],
  ['2026-00-10T10:00:00Z'],
  ['2026-11-20T10Z'],
  ['2026-11-20T10:00:00.Z'],
  ['2026-11-20T10:00:00Z '],
  ['2026-11-20  10:00:00Z'],
  ['2026-11-20 10:00:00  +0100'],
  ['2026-11-20_10:00:00Z'],
  ['20261120 100000Z'],
  ['2026-11-20T10:00:00 CET'],
  ['2026-11-20T10:00:00+01:00[Europe/Berlin]'],
  ['2026-11-20T10:00:00 GMT'],
  ['1763632800'],
  ['2025-02-29 09:00:00Z'],
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

test('a date is read exactly if it exists', () => {
  for (let year = 1999; year <= 2004; year++) {
    for (let month = 1; month <= 12; month++) {
      for (let day = 1; day <= 31; day++) {
        const [m, d] = [String(month).padStart(2, '0'), String(day).padStart(2, '0')]
        const exists = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
        for (const date of [`${year}-${m}-${d}T10:00:00Z`, `${year}${m}${d}T100000Z`]) {
          expect(parseTimestamp(date) !== undefined, date).toBe(exists)
        }
      }
    }
  }
})
