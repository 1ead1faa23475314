import { expect, test } from 'vitest'
import { parseDuration, parseListen, parseSize } from '../../src/config/units.ts'

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1h30m', 5_400_000],
  ['1.5h', 5_400_000],
  ['30d', 2_592_000_000],
  ['', undefined],
  ['30', undefined],
  ['1 h', undefined],
  ['-1s', undefined],
  ['36500d', 3_153_600_000_000],
  ['36501d', undefined],
  ['99999999999999999999d', undefined],
])('the duration %j is %j ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each([
  ['16MiB', 16_777_216],
  ['64kB', 64_000],
  ['1000', 1_000],
  ['1.5KiB', 1_536],
  ['MiB', undefined],
  ['16 MiB', undefined],
])('the size %j is %j bytes', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes)
})

test.each([
  ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
  ['[::1]:1', { host: '::1', port: 1 }],
  [':9464', { host: '0.0.0.0', port: 9464 }],
  ['localhost:0', { host: 'localhost', port: 0 }],
  ['9464', undefined],
  ['a:70000', undefined],
])('the address %j is %j', (text, address) => {
  expect(parseListen(text)).toEqual(address)
})
