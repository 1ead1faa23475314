import { hashSync } from 'bcryptjs'
import { expect, test } from 'vitest'
import { createBasicAuth } from '../../src/serve/auth.ts'

const header = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

test('without users everything is allowed', async () => {
  expect(await createBasicAuth(undefined)(undefined)).toBe('allowed')
  expect(await createBasicAuth(new Map())('Basic nonsense')).toBe('allowed')
})

test('at most 16 sign-ins wait for their comparison; further ones are turned away, and the next ones are not', async () => {
  const allowed = createBasicAuth(new Map([['prom', hashSync('right', 4)]]))
  const guesses = Array.from({ length: 40 }, (_, n) => allowed(header('prom', `guess ${n}`)))
  const verdicts = await Promise.all(guesses)
  expect(verdicts.filter((verdict) => verdict === 'refused')).toHaveLength(16)
  expect(verdicts.filter((verdict) => verdict === 'busy')).toHaveLength(24)
  expect(await allowed(header('prom', 'right'))).toBe('allowed')
})

test('a known password is allowed at once, however many sign-ins wait', async () => {
  const allowed = createBasicAuth(new Map([['prom', hashSync('right', 4)]]))
  expect(await allowed(header('prom', 'right'))).toBe('allowed')
  const guesses = Array.from({ length: 16 }, (_, n) => allowed(header('prom', `guess ${n}`)))
  expect(await allowed(header('prom', 'right'))).toBe('allowed')
  expect(new Set(await Promise.all(guesses))).toEqual(new Set(['refused']))
})
