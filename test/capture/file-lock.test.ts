import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withFileLock } from '../../src/capture/file-lock.ts'

let lock = ''
beforeEach(() => {
  lock = path.join(mkdtempSync(path.join(tmpdir(), 'audit-lock-')), '.lock')
})
afterEach(() => rmSync(path.dirname(lock), { recursive: true }))

const noWait = { standstillMs: 0, progress: () => Promise.resolve('still') }

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

test('whoever waits behind a holder that gets nothing done is told so, and does not get the lock', async () => {
  const letGo = await hold()
  const entered = withFileLock(lock, () => Promise.resolve(), noWait)
  await expect(entered).rejects.toThrow(/\.lock: another writer holds it and has written nothing for 0 ms/)
  await letGo()
})

test('as long as the holders get on, nobody gives up, however long the queue', async () => {
  const letGo = await hold()
  let written = 0
  const progress = async (): Promise<number> => {
    written++
    if (written === 20) await letGo()
    return written
  }
  const entered = await withFileLock(lock, () => Promise.resolve('in'), { standstillMs: 0, progress })
  expect([entered, written]).toEqual(['in', 20])
})

test('the lock is free again after a body that failed', async () => {
  const failed = withFileLock(lock, () => Promise.reject(new Error('no room')), noWait)
  await expect(failed).rejects.toThrow('no room')
  expect(await withFileLock(lock, () => Promise.resolve('in'), noWait)).toBe('in')
})
