import { mkdtempSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withFileLock } from '../../../src/capture/trace/file-lock.ts'

let lock = ''
beforeEach(() => {
  lock = path.join(mkdtempSync(path.join(tmpdir(), 'audit-lock-')), '.lock')
})
afterEach(() => rmSync(path.dirname(lock), { recursive: true }))

const noWait = { standstillMs: 0 }

/** Takes the lock; resolves once it is held, with what lets go of it. */
async function hold(): Promise<() => Promise<void>> {
  const { promise: until, resolve: letGo } = Promise.withResolvers<void>()
  const { promise: held, resolve: nowHeld } = Promise.withResolvers<void>()
  const ended = withFileLock(
    lock,
    () => {
      nowHeld()
      return until
    },
    noWait,
  )
  await held
  return () => {
    letGo()
    return ended
  }
}

/** A clock that goes on by `stepMs` at each look, and tells `look` how often it was asked. */
function clock(stepMs: number, look: (looks: number) => void = () => undefined): () => number {
  let looks = 0
  return () => {
    look(++looks)
    return looks * stepMs
  }
}

test('a waiter gives up if the lock does not change hands', async () => {
  const letGo = await hold()
  const entered = withFileLock(lock, () => Promise.resolve(), noWait)
  await expect(entered).rejects.toThrow(/\.lock: another writer has held the lock for 0 ms/)
  await letGo()
})

test('a waiter does not give up while the lock changes hands', async () => {
  const letGo = await hold()
  let last = 0
  const now = clock(1_000, (looks) => {
    last = looks
    utimesSync(lock, looks, looks)
    if (looks === 20) void letGo()
  })
  const entered = await withFileLock(lock, () => Promise.resolve('in'), { standstillMs: 0, now })
  expect([entered, last]).toEqual(['in', 20])
})

test('every holder sets the modification time of the lock file', async () => {
  await (
    await hold()
  )()
  utimesSync(lock, 0, 0)
  await withFileLock(lock, () => Promise.resolve(), noWait)
  expect(statSync(lock).mtimeMs).toBeGreaterThan(0)
})

test('time in which the waiter itself was stopped does not count as waiting', async () => {
  const letGo = await hold()
  const now = clock(60_000, (looks) => {
    if (looks === 4) void letGo()
  })
  expect(await withFileLock(lock, () => Promise.resolve('in'), { standstillMs: 3_000, now })).toBe('in')
})

test('a failing body releases the lock', async () => {
  const failed = withFileLock(lock, () => Promise.reject(new Error('no room')), noWait)
  await expect(failed).rejects.toThrow('no room')
  expect(await withFileLock(lock, () => Promise.resolve('in'), noWait)).toBe('in')
})
