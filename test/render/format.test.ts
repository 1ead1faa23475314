import { expect, test } from 'vitest'
import {
  bytes,
  compact,
  counted,
  cutInside,
  day,
  decimal,
  duration,
  interval,
  number,
  orNone,
  percent,
  points,
  probability,
  quotient,
  shownOf,
  signed,
  typeName,
  utc,
} from '../../src/render/format.ts'

test('numbers have separators, a fixed number of decimals and a sign where they are differences', () => {
  expect([0, 999.6, 1_234_567].map(number)).toEqual(['0', '1,000', '1,234,567'])
  expect(decimal(1.516)).toBe('1.52')
  expect([1_234.4, -1_234.4].map(signed)).toEqual(['+1,234', '-1,234'])
  expect([0.0412, -0.0412].map(points)).toEqual(['+4.1 points', '-4.1 points'])
  expect([signed(-0.2), points(-0.0002)]).toEqual(['0', '0.0 points'])
  expect([7, 40_123, 1_234_567].map(compact)).toEqual(['7', '40.1k', '1.23M'])
})

test('a long name loses its middle, so that names that begin alike still differ', () => {
  expect(['short', 'exactly-ten', 'implement-a', 'implement-b'].map((name) => cutInside(name, 10))).toEqual([
    'short',
    'exact…-ten',
    'imple…nt-a',
    'imple…nt-b',
  ])
})

test('a share below 1 is never shown as 100 %', () => {
  expect([0, 0.4127, 0.9999, 1].map(percent)).toEqual(['0.0 %', '41.3 %', '99.9 %', '100.0 %'])
})

test('p-values keep two digits, and very small ones are bounded', () => {
  expect([0.5, 0.0123, 0.00009].map(probability)).toEqual(['= 0.50', '= 0.012', '< 0.0001'])
})

test('amounts of bytes and time have the unit that fits', () => {
  expect([0, 1023, 1536, 5 * 2 ** 30].map(bytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '5.0 GiB'])
  expect([-1, 119_999, 120_000, 7_200_000, 172_800_000].map(duration)).toEqual([
    '0 s',
    '119 s',
    '2 min',
    '2 h',
    '2 d',
  ])
})

test('moments are in UTC, and impossible ones are unknown', () => {
  expect(utc(Date.UTC(2026, 0, 31, 9, 5))).toBe('2026-01-31 09:05:00 UTC')
  expect(utc(Number.NaN)).toBe('unknown')
  expect(day('2026-01-31T09:05:00.000Z')).toBe('2026-01-31')
  expect(day(null)).toBe('no data')
})

test('what cannot be calculated is called no data', () => {
  expect(orNone(null, number)).toBe('no data')
  expect(orNone(3, number)).toBe('3')
  expect(quotient(1, 0, percent)).toBe('no data yet')
  expect(quotient(1, 3, percent)).toBe('33.3 %')
  expect(interval(null, number)).toBe('no data')
  expect(interval({ value: 12, low: null, high: null }, number)).toBe('12 (one value)')
  expect(interval({ value: 12, low: 10, high: 14 }, number)).toBe('12 (10 to 14)')
})

test('a noun agrees with its number', () => {
  expect(counted(1, 'file')).toBe('1 file')
  expect(counted(1_000, 'file')).toBe('1,000 files')
  expect(counted(0, 'entry', 'entries')).toBe('0 entries')
})

test('an empty error type has a name, and a cut list says of how many', () => {
  expect(typeName('')).toBe('(none given)')
  expect(typeName('TSC_ERROR')).toBe('TSC_ERROR')
  expect(shownOf(30, 12)).toBe(' (12 of 30)')
  expect(shownOf(12, 12)).toBe('')
})
