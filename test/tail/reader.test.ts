import fs from 'node:fs'
import { expect, test } from 'vitest'
import { nodeFileSystem } from '../../src/tail/file-system.ts'
import { expectOnce, faulty, given, lines, text } from './given.ts'

test('copytruncate: the copy is not counted, what comes after the cut is', async () => {
  const world = given()
  const [a, b] = [lines('a', 5), lines('b', 2)]
  fs.writeFileSync(world.trace, text(a))
  await world.catchUp()
  fs.copyFileSync(world.trace, `${world.trace}.1`)
  fs.truncateSync(world.trace)
  fs.appendFileSync(world.trace, text(b))
  await world.catchUp()
  expectOnce(world, a, b)
  expect(world.tally.truncations).toBe(1)
})

test.each([
  ['shorter than before', 1],
  ['longer than before', 60],
  ['longer than before by more than a marker', 600],
])('a file cut off and grown again between two looks, %s, is read from its start', async (_, count) => {
  const world = given()
  const [a, b] = [lines('a', 40), lines('b', count)]
  fs.writeFileSync(world.trace, text(a))
  await world.catchUp()
  fs.truncateSync(world.trace)
  fs.appendFileSync(world.trace, text(b))
  await world.catchUp()
  expectOnce(world, a, b)
  expect(world.tally.truncations).toBe(1)
})

test('a file cut off and grown again to exactly its old size is read from its start', async () => {
  const world = given()
  fs.writeFileSync(world.trace, 'one\ntwo\n')
  await world.catchUp()
  fs.truncateSync(world.trace)
  fs.appendFileSync(world.trace, 'six\nten\n')
  // Coarse clocks of file systems may give both writes one time.
  fs.utimesSync(world.trace, new Date(), new Date(Date.now() + 1_000))
  await world.catchUp()
  expectOnce(world, ['one', 'two', 'six', 'ten'])
})

test('an unfinished line that is cut away is forgotten, the lines before it are not read again', async () => {
  const world = given()
  fs.writeFileSync(world.trace, 'one\ntwo\nunfini')
  await world.catchUp()
  fs.truncateSync(world.trace, 8)
  fs.appendFileSync(world.trace, 'another\n')
  await world.catchUp()
  expectOnce(world, ['one', 'two', 'another'])
  expect(world.tally.truncations).toBe(0)
})

test('an unfinished line that is written anew is read as it stands when it ends', async () => {
  const world = given()
  fs.writeFileSync(world.trace, 'one\nfirst draft')
  await world.catchUp()
  const handle = fs.openSync(world.trace, 'r+')
  fs.writeSync(handle, 'other words!\n', 4)
  fs.closeSync(handle)
  await world.catchUp()
  expectOnce(world, ['one', 'other words!'])
})

test('content that is exchanged between two reads of one slice is not mixed', async () => {
  let reads = 0
  const world = given({
    fs: {
      ...nodeFileSystem,
      async open(at) {
        const handle = await nodeFileSystem.open(at)
        return {
          ...handle,
          async read(buffer, offset, length, position) {
            const got = await handle.read(buffer, offset, length, position)
            if (++reads === 1) fs.writeFileSync(world.trace, text(lines('new', 40)))
            return got
          },
        }
      },
    },
  })
  fs.writeFileSync(world.trace, text(lines('old', 20)))
  await world.catchUp()
  await world.catchUp()
  world.assertBalance()
  expectOnce(world, lines('old', 20), lines('new', 40))
})

test('reading that fails half way through a file counts each line once', async () => {
  let reads = 0
  const world = given({
    sliceBytes: 64,
    fs: faulty(
      (facts) => facts,
      (operation) => (operation === 'read' && ++reads % 3 === 0 ? 'EIO' : undefined),
    ),
  })
  const all = lines('line', 60)
  fs.writeFileSync(world.trace, text(all))
  for (let i = 0; i < 100; i++) {
    world.monotonicMs += 60_000
    await world.catchUp()
  }
  expectOnce(world, all)
})
