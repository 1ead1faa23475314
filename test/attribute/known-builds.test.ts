import { expect, onTestFinished, test } from 'vitest'
import { writeBuild } from '../../src/attribute/build-rows.ts'
import type { BuildState } from '../../src/attribute/build.ts'
import { createKnownBuilds } from '../../src/attribute/known-builds.ts'
import { openStore } from '../../src/state/store.ts'
import { temporaryDirectory } from '../setup/exporter.ts'

const BUILDS = 6_000

test('every closed build is known again, however many have closed since, and no other', () => {
  const store = openStore(temporaryDirectory())
  onTestFinished(() => store.close())
  const known = createKnownBuilds(store)
  const ids = Array.from({ length: BUILDS }, (_, i) => `run-${i}`)
  const builds: BuildState[] = ids.map((id) => {
    const build = known.get(id)
    Object.assign(build, { outcome: 'first_pass', lastEntryMs: 1 })
    known.close(build)
    return build
  })
  const write = (transaction: Parameters<typeof writeBuild>[0]): void => {
    for (const build of builds) writeBuild(transaction, build)
  }
  store.commit([{ write, committed: () => known.written() }])

  expect(ids.filter((id) => known.get(id).outcome !== 'first_pass')).toEqual([])
  const others = Array.from({ length: BUILDS }, (_, i) => `other-${i}`)
  expect(others.filter((id) => known.get(id).outcome !== undefined)).toEqual([])
})

test('a build that is still open stays itself, however many others close', () => {
  const store = openStore(temporaryDirectory())
  onTestFinished(() => store.close())
  const known = createKnownBuilds(store)
  const open = known.get('open')
  Object.assign(open, { tokens: 7, lastEntryMs: 1 })
  for (let round = 0; round < 3; round++) {
    const closed = Array.from({ length: BUILDS + 10 * round }, (_, i) => known.get(`run-${round}-${i}`))
    for (const build of closed) {
      expect([build.tokens, build.outcome]).toEqual([0, undefined])
      Object.assign(build, { outcome: 'first_pass', lastEntryMs: 1, tokens: 3 })
      known.close(build)
    }
    const write = (transaction: Parameters<typeof writeBuild>[0]): void => {
      for (const build of closed) writeBuild(transaction, build)
    }
    store.commit([{ write, committed: () => known.written() }])
  }
  expect(known.openOne('open')).toBe(open)
  expect([open.runId, open.tokens]).toEqual(['open', 7])
})

/** FNV-1a has the same 32 bits for both. */
const SAME_HASH = ['costarring', 'liquid'] as const

test('builds whose ids have the same hash stay two, also after a restart', () => {
  const store = openStore(temporaryDirectory())
  onTestFinished(() => store.close())
  const known = createKnownBuilds(store)
  const [one, other] = SAME_HASH.map((id) => known.get(id)) as [BuildState, BuildState]
  expect(one.runHash).toBe(other.runHash)
  Object.assign(one, { outcome: 'failed', lastEntryMs: 1 })
  const write = (transaction: Parameters<typeof writeBuild>[0]): void => writeBuild(transaction, one)
  store.commit([{ write, committed: () => known.written() }])

  const again = createKnownBuilds(store)
  expect(again.get(SAME_HASH[1]).outcome).toBeUndefined()
  expect(again.get(SAME_HASH[0]).outcome).toBe('failed')
})

test('a new build after a restart has a number of its own', () => {
  const store = openStore(temporaryDirectory())
  onTestFinished(() => store.close())
  const first = createKnownBuilds(store).get('first')
  Object.assign(first, { outcome: 'failed', lastEntryMs: 1 })
  const write = (transaction: Parameters<typeof writeBuild>[0]): void => writeBuild(transaction, first)
  store.commit([{ write, committed: () => undefined }])
  expect(createKnownBuilds(store).get('second').number).toBeGreaterThan(first.number)
})

test('builds that take turns stay the same ones, also if it is asked first whether they are open', () => {
  const store = openStore(temporaryDirectory())
  onTestFinished(() => store.close())
  const known = createKnownBuilds(store)
  const next = (id: string): BuildState => known.openOne(id) ?? known.get(id)
  const [a, b] = [next('a'), next('b')]
  expect([next('a'), next('b'), next('a'), next('b')]).toEqual([a, b, a, b])
  expect(next('a')).toBe(a)
  expect(next('b')).toBe(b)
})
