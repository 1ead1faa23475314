import { expect, test } from 'vitest'
import { parseMoment, requireOrder } from '../../src/config/period.ts'
import { UsageError } from '../../src/config/usage-error.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')

test.each([
  [undefined, undefined],
  ['30d', '2026-10-21T12:00:00.000Z'],
  ['1h30m', '2026-11-20T10:30:00.000Z'],
  ['2026-11-01', '2026-11-01T00:00:00.000Z'],
  ['2026-11-01T12:00Z', '2026-11-01T12:00:00.000Z'],
  ['2026-11-01T12:00:00.5+02:00', '2026-11-01T10:00:00.500Z'],
])('the moment %j is %j', (text, iso) => {
  const ms = parseMoment('--since', text, NOW)
  expect(ms === undefined ? undefined : new Date(ms).toISOString()).toBe(iso)
})

test.each(['', 'yesterday', '2026-02-30', '2026-11-01T12:00', '99999999999999999999d'])(
  'the moment %j is refused, with its flag',
  (text) => {
    const refused = () => parseMoment('--since', text, NOW)
    expect(refused).toThrow(UsageError)
    expect(refused).toThrow(`--since: ${JSON.stringify(text)} is not`)
  },
)

test('a period must start before it ends', () => {
  expect(() => requireOrder(2, 2)).toThrow(UsageError)
  expect(() => requireOrder(1, 2)).not.toThrow()
  expect(() => requireOrder(undefined, 2)).not.toThrow()
})
