import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { whenSent } from '../../src/serve/when-sent.ts'

const broken = new Error('read ECONNRESET')

/** How often `sent` is called for a response that finishes so. */
function calls(errors: { response?: Error; socket?: Error }, finishes = true): number {
  let sent = 0
  const response = Object.assign(new EventEmitter(), { errored: errors.response ?? null })
  whenSent(response, { errored: errors.socket ?? null }, () => void sent++)
  if (finishes) response.emit('finish')
  response.emit('close')
  return sent
}

test('a response that finished without an error is sent', () => {
  expect(calls({})).toBe(1)
})

test('a response that finished on a broken connection is not sent', () => {
  expect(calls({ socket: broken })).toBe(0)
  expect(calls({ response: broken })).toBe(0)
})

test('a response that was closed without having finished is not sent', () => {
  expect(calls({}, false)).toBe(0)
})
