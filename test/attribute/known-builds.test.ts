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
  store.commit([{ write, committed: () => known.written(ids) }])

  expect(ids.filter((id) => known.get(id).outcome !== 'first_pass')).toEqual([])
  const others = Array.from({ length: BUILDS }, (_, i) => `other-${i}`)
  expect(others.filter((id) => known.get(id).outcome !== undefined)).toEqual([])
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
