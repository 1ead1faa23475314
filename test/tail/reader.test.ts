import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import type { LinePlace } from '../../src/events.ts'
import { nodeFileSystem } from '../../src/tail/file-system.ts'
import { createReader, type LineSink } from '../../src/tail/reader.ts'
import { newFile } from '../../src/tail/tracked-file.ts'
import { expectOnce, faulty, given, lines, text } from './given.ts'
import { TRACE, type World } from './world.ts'

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

test.each([7, 64, 4_096])(
  'the place of a line says where its bytes stand, read in slices of %i bytes',
  async (sliceBytes) => {
    const content = Buffer.from(`\uFEFFone\r\n\nzwölf\n${'x'.repeat(90)}\n  \nlast ü\n`)
    const seen: string[] = []
    const note = ({ line, offset, length }: LinePlace): void =>
      void seen.push(`${line}: ${content.toString('utf8', offset, offset + length)}`)
    const sink: LineSink = {
      line(_, place) {
        note(place)
        return 'counted'
      },
      invalidUtf8(_, place) {
        note(place)
        return 'rejected'
      },
      // Of an over-long line only what has been read of it is known.
      tooLong: ({ line, offset }) =>
        void seen.push(`${line}: ${content.toString('utf8', offset, offset + 3)}`),
      bytes: () => undefined,
      truncated: () => undefined,
    }
    const at = path.join(given().root, TRACE)
    fs.writeFileSync(at, content)
    const handle = await nodeFileSystem.open(at)
    const file = newFile(at, await handle.facts())
    const reader = createReader(sink, { maxLineBytes: 50, sliceBytes })
    while ((await reader.readSlice(file, handle, 0)) === 'more');
    await handle.close()
    expect(seen).toEqual(['1: one\r\n', '3: zwölf\n', '4: xxx', '6: last ü\n'])
  },
)

describe('NUL bytes before a line, as a writer leaves them that keeps its offset over copytruncate', () => {
  test.each([
    ['while it is watched', async (world: World) => world.catchUp()],
    ['while the exporter is down', async (world: World) => (world.commit(), world.crash())],
  ])('are skipped, and every line counts: %s', async (_, between) => {
    const world = given({ maxLineBytes: 500, sliceBytes: 300 })
    const [a, b, c] = [lines('a', 60), lines('b', 5), lines('c', 3)]
    const writer = fs.openSync(world.trace, 'w')
    fs.writeSync(writer, text(a))
    await world.catchUp()
    await between(world)
    fs.copyFileSync(world.trace, `${world.trace}.1`)
    fs.truncateSync(world.trace)
    const hole = Buffer.byteLength(text(a))
    fs.writeSync(writer, text(b))
    await world.catchUp()
    // Once more, with nothing between the hole and the end of the file.
    fs.truncateSync(world.trace)
    fs.truncateSync(world.trace, hole)
    await world.catchUp()
    const pending = [...world.tail.status()].find(({ file }) => file.path === world.trace)
    expect(pending?.pendingBytes).toBe(hole)
    fs.writeSync(writer, text(c))
    fs.closeSync(writer)
    await world.catchUp()
    expectOnce(world, a, b, c)
    expect(world.tally.tooLong).toBe(0)
    expect(world.tally.bytes.rejected).toBe(0)
    expect(world.tally.bytes.skipped).toBe(hole + hole + Buffer.byteLength(text(b)))
  })

  test('between lines, in slices of every size; a preallocated end is pending and may still be written', async () => {
    for (const sliceBytes of [1, 2, 7, 64, 4_096]) {
      const world = given({ sliceBytes, maxLineBytes: 20 })
      fs.writeFileSync(world.trace, `one\n${'\0'.repeat(90)}two\n\0\0\n${'\0'.repeat(50)}`)
      await world.catchUp()
      expect([...world.tail.status()][0]?.pendingBytes).toBe(50)
      const handle = fs.openSync(world.trace, 'r+')
      fs.writeSync(handle, 'three\n', 'one\n'.length + 90 + 'two\n'.length + 3)
      fs.closeSync(handle)
      await world.catchUp()
      expectOnce(world, ['one', 'two', 'three'])
    }
  })
})
