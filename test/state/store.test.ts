import { existsSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../src/state/store.ts'
import { temporaryDirectory } from '../setup/exporter.ts'

const CREATED = Date.parse('2026-11-20T12:00:00Z')

/** A state that was used and closed. */
function used(): { state: string; file: string } {
  const state = path.join(temporaryDirectory(), 'state')
  openStore(state, CREATED).close()
  return { state, file: path.join(state, 'state.sqlite') }
}

test('a state is new once, and then continued since its creation', () => {
  const state = path.join(temporaryDirectory(), 'state')
  const first = openStore(state, CREATED)
  expect(first.origin).toMatchObject({ isNew: true, createdMs: CREATED })
  first.close()
  const second = openStore(state, CREATED + 1)
  expect(second.origin).toEqual({ isNew: false, createdMs: CREATED, instanceId: first.origin.instanceId })
  second.close()
})

test('an empty file in place of a state is refused, and left as it is', () => {
  const { state, file } = used()
  truncateSync(file)
  expect(() => openStore(state)).toThrow(/it is empty, but .*state\.created shows that it was not/)
  expect(statSync(file).size).toBe(0)
})

test('an empty file beside a write-ahead log is refused', () => {
  const state = temporaryDirectory()
  const file = path.join(state, 'state.sqlite')
  writeFileSync(file, '')
  writeFileSync(`${file}-wal`, 'what was not checkpointed')
  expect(() => openStore(state)).toThrow(/it is empty, but .*state\.sqlite-wal shows/)
  expect(readFileSync(`${file}-wal`, 'utf8')).toBe('what was not checkpointed')
})

test('an empty file that nothing stands beside is a new state', () => {
  const state = temporaryDirectory()
  mkdirSync(state, { recursive: true })
  writeFileSync(path.join(state, 'state.sqlite'), '')
  const store = openStore(state, CREATED)
  expect(store.origin.isNew).toBe(true)
  store.close()
})

test('a state that was moved away leaves room for a new one', () => {
  const { state, file } = used()
  rmSync(file)
  const store = openStore(state, CREATED + 5)
  expect(store.origin).toMatchObject({ isNew: true, createdMs: CREATED + 5 })
  store.close()
  expect(existsSync(file)).toBe(true)
})
