import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodeFileSystem } from '../../src/tail/file-system.ts'
import { createRotation } from '../../src/tail/rotation.ts'
import { expectOnce, given } from './given.ts'
import { TRACE, type World } from './world.ts'

const TURNS = 4
/** Longer than a directory may have changed without a trace. */
const WHILE_MS = 60_000
const HOUR_MS = 3_600_000
/** In seconds since 1970. */
const LONG_AGO = 1_000_000_000
const BUILDS = Array.from({ length: 10 }, (_, i) => `build-${i}`)

const traceOf = (world: World, build: string): string => path.join(world.root, build, TRACE)

function writeTrace(trace: string, line: string): void {
  fs.mkdirSync(path.dirname(trace), { recursive: true })
  fs.writeFileSync(trace, `${line}\n`)
}

/** More builds that are over than a scan looks at in turn. */
async function manySettled(below = ''): Promise<World> {
  const world = given({
    fs: { ...nodeFileSystem, keepsChangeTimes: () => Promise.resolve(true) },
    turnsAScan: TURNS,
  })
  for (const build of BUILDS) writeTrace(traceOf(world, path.join(below, build)), build)
  pass(world, WHILE_MS)
  for (let i = 0; i < 2; i++) await world.catchUp()
  return world
}

function pass(world: World, ms: number): void {
  world.nowMs += ms
  world.monotonicMs += ms
}

async function scanWhatIsDue(world: World): Promise<void> {
  pass(world, WHILE_MS)
  await world.tail.scan(undefined, 'due')
  await world.tail.drain()
}

test('what is added to an old trace is found by the time each directory has had its turn', async () => {
  const world = await manySettled()
  for (const build of BUILDS) fs.appendFileSync(traceOf(world, build), `more of ${build}\n`)
  const found: number[] = []
  for (let i = 0; i < 4; i++) {
    await scanWhatIsDue(world)
    found.push(world.tally.lines.size - BUILDS.length)
  }
  // The root has one of the turns.
  expect(found[0]).toBeLessThanOrEqual(TURNS)
  expect(found.at(-1)).toBe(BUILDS.length)
  expectOnce(world, [...BUILDS, ...BUILDS.map((build) => `more of ${build}`)])
})

test('a scan of everything does not wait for turns', async () => {
  const world = await manySettled()
  for (const build of BUILDS) fs.appendFileSync(traceOf(world, build), `more of ${build}\n`)
  pass(world, WHILE_MS)
  await world.scan()
  await world.drain()
  expect(world.tally.lines.size).toBe(2 * BUILDS.length)
})

test('a new directory is found at once, however long nothing has changed', async () => {
  const world = await manySettled('inner')
  pass(world, 24 * HOUR_MS)
  await world.scan()
  await scanWhatIsDue(world)
  writeTrace(traceOf(world, 'inner/new'), 'new')
  await scanWhatIsDue(world)
  expectOnce(world, [...BUILDS, 'new'])
})

test('a directory that has to be listed each time is looked at in each scan, wherever it is', async () => {
  const world = await manySettled('inner')
  writeTrace(traceOf(world, 'inner/deep/linked'), 'linked')
  fs.symlinkSync(world.root, path.join(world.root, 'inner/deep/linked/link'))
  for (let i = 0; i < 4; i++) await scanWhatIsDue(world)
  fs.appendFileSync(traceOf(world, 'inner/deep/linked'), 'more\n')
  await scanWhatIsDue(world)
  expectOnce(world, [...BUILDS, 'linked', 'more'])
})

test.each([0, -HOUR_MS, HOUR_MS])(
  'nothing counts as found before its turn, also after the wall clock was set by %d ms',
  async (setByMs) => {
    const world = await manySettled()
    await world.scan()
    for (const build of BUILDS) fs.appendFileSync(traceOf(world, build), `more of ${build}\n`)
    world.nowMs += setByMs
    const appendedMs = world.nowMs
    for (;;) {
      await scanWhatIsDue(world)
      if (world.tally.lines.size === 2 * BUILDS.length) break
      expect(world.tail.foundUpToMs()).toBeLessThanOrEqual(appendedMs)
    }
    while (world.tail.foundUpToMs() <= appendedMs) await scanWhatIsDue(world)
  },
)

test.each([0, -HOUR_MS, HOUR_MS])(
  'a file that was created and rotated away before the turn of its directory is read, also after the clock was set by %d ms',
  async (setByMs) => {
    const world = await manySettled()
    // Birth times are the real clock's.
    world.nowMs = Date.now() - 1_000
    for (let i = 0; i < 2; i++) await world.scan()
    for (const build of BUILDS) writeTrace(path.join(world.root, build, `${TRACE}.1`), `unseen in ${build}`)
    world.nowMs += setByMs
    for (let i = 0; i < 8; i++) await scanWhatIsDue(world)
    expectOnce(world, [...BUILDS, ...BUILDS.map((build) => `unseen in ${build}`)])
  },
)

test('a directory that became a link out of the root before its turn is not followed', async () => {
  const world = given({
    fs: { ...nodeFileSystem, keepsChangeTimes: () => Promise.resolve(true) },
    turnsAScan: 1,
    roots: (root) => [path.join(root, 'in')],
  })
  const inner = path.join(world.root, 'in', 'inner')
  const outer = path.join(world.root, 'out')
  for (const build of BUILDS) writeTrace(path.join(inner, build, TRACE), build)
  pass(world, WHILE_MS)
  for (let i = 0; i < 2; i++) await world.catchUp()
  // The turns of the root and the directory are over.
  for (let i = 0; i < 3; i++) await scanWhatIsDue(world)
  fs.renameSync(inner, outer)
  for (const build of BUILDS) writeTrace(path.join(outer, build, 'deep', TRACE), `deep in ${build}`)
  fs.symlinkSync(outer, inner)
  for (let i = 0; i < 30; i++) await scanWhatIsDue(world)
  expectOnce(world, BUILDS)
})

test('of many open files each is polled in turn', async () => {
  const world = given({ maxOpenFiles: 1_000 })
  const builds = Array.from({ length: 450 }, (_, i) => `build-${i}`)
  for (const build of builds) writeTrace(traceOf(world, build), build)
  await world.catchUp()
  for (const build of builds) fs.appendFileSync(traceOf(world, build), `more of ${build}\n`)
  const found: number[] = []
  for (let i = 0; i < 3; i++) {
    await world.tail.poll('due')
    await world.drain()
    found.push(world.tally.lines.size - builds.length)
  }
  expect(found).toEqual([200, 400, 450])
})

test('a trace that was not written to for long is closed once it is read', async () => {
  const world = given()
  for (const build of ['old', 'young']) writeTrace(traceOf(world, build), build)
  fs.utimesSync(traceOf(world, 'old'), LONG_AGO, LONG_AGO)
  await world.scan()
  await world.drain()
  const conditions = [...world.tail.status()].map(({ file, condition }) => [
    path.basename(path.dirname(file.path)),
    condition,
  ])
  expect(Object.fromEntries(conditions)).toEqual({ old: 'cold', young: 'hot' })
  expectOnce(world, ['old', 'young'])
})

describe('turns', () => {
  const clocks = { now: () => 0, monotonicMs: () => 0 }

  function looks(brisk: number, calm: number, turnsALook: number) {
    const rotation = createRotation<{ name: string; lookedIn: number }>(clocks, turnsALook)
    const isBrisk = (name: string): boolean => name.startsWith('brisk')
    for (const [kind, count] of Object.entries({ brisk, calm }))
      for (let i = 0; i < count; i++)
        rotation.put(`${kind}${i}`, { name: `${kind}${i}`, lookedIn: 0 }, isBrisk(kind))
    return (): string[] => {
      const looked: string[] = []
      for (const group of rotation.turns('due', 3)) {
        for (const [name, item] of group) rotation.put(name, item, isBrisk(name))
        looked.push(...group.map(([name]) => name))
      }
      return looked
    }
  }

  test.each([
    ['everything if there are enough', 2, 2, 6, ['brisk0', 'brisk1', 'calm0', 'calm1']],
    ['brisk ones in each look, calm ones in turn', 2, 9, 5, ['brisk0', 'brisk1', 'calm3', 'calm4', 'calm5']],
    ['half of them for calm ones, however many are brisk', 9, 9, 4, ['brisk2', 'brisk3', 'calm2', 'calm3']],
    ['all for brisk ones where nothing else is', 9, 0, 4, ['brisk4', 'brisk5', 'brisk6', 'brisk7']],
  ])('%s', (_, brisk, calm, turnsALook, second) => {
    const look = looks(brisk, calm, turnsALook)
    look()
    expect(look()).toEqual(second)
  })
})
