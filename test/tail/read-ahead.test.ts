import fs from 'node:fs'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { nodeFileSystem, type FileFacts, type FileSystem, type OpenFile } from '../../src/tail/file-system.ts'
import { createReadAhead } from '../../src/tail/read-ahead.ts'
import { newFile, type TrackedFile } from '../../src/tail/tracked-file.ts'
import { expectOnce, given } from './given.ts'
import { TRACE, type World } from './world.ts'

const BUILDS = Array.from({ length: 40 }, (_, i) => `build-${i}`)

const traceOf = (world: World, build: string): string => path.join(world.root, build, TRACE)

/** The older first. */
function writeTraces(world: World, builds: readonly string[] = BUILDS): void {
  for (const [i, build] of builds.entries()) {
    const trace = traceOf(world, build)
    fs.mkdirSync(path.dirname(trace), { recursive: true })
    fs.writeFileSync(trace, `${build}\n`)
    fs.utimesSync(trace, 1_000_000_000 + i, 1_000_000_000 + i)
  }
}

/** Calls `act` once, between the first read of a trace and whatever comes next. */
function afterFirstRead(act: (trace: string) => void, build: string): FileSystem {
  let isOver = false
  return {
    ...nodeFileSystem,
    async open(at) {
      const file = await nodeFileSystem.open(at)
      return {
        ...file,
        async read(...where) {
          const got = await file.read(...where)
          if (!isOver && path.basename(path.dirname(at)) === build) {
            isOver = true
            act(at)
          }
          return got
        },
      }
    },
  }
}

/** The real file system, and how many of its files are open: now, and at most at once. */
function counting(change: (at: string, file: OpenFile) => OpenFile = (_, file) => file) {
  const open = { now: 0, most: 0 }
  const counted: FileSystem = {
    ...nodeFileSystem,
    async open(at) {
      const file = change(at, await nodeFileSystem.open(at))
      open.most = Math.max(open.most, ++open.now)
      return {
        ...file,
        close() {
          open.now--
          return file.close()
        },
      }
    },
  }
  return { fs: counted, open }
}

test('files that are read ahead are counted in their order', async () => {
  const world = given()
  writeTraces(world)
  await world.scan()
  await world.drain()
  expect([...world.tally.lines.keys()]).toEqual(BUILDS)
  expectOnce(world, BUILDS)
})

const CHANGES: Readonly<Record<string, { change: (trace: string) => void; lines: string[] }>> = {
  grows: { change: (trace) => fs.appendFileSync(trace, 'more\n'), lines: ['more'] },
  'is truncated and written again': {
    change: (trace) => fs.writeFileSync(trace, 'other\n'),
    lines: ['other'],
  },
  'is rotated': {
    change(trace) {
      fs.renameSync(trace, `${trace}.1`)
      fs.writeFileSync(trace, 'successor\n')
    },
    lines: ['successor'],
  },
  'is deleted': { change: (trace) => fs.rmSync(trace), lines: [] },
}
test.each(Object.entries(CHANGES))(
  'a trace that %s between the reading and its turn is counted once',
  async (_, { change, lines }) => {
    const world = given({ fs: afterFirstRead(change, 'build-5') })
    writeTraces(world)
    await world.scan()
    await world.drain()
    for (let i = 0; i < 2; i++) await world.catchUp()
    expectOnce(world, [...BUILDS, ...lines])
  },
)

test('what cannot be read ahead is reported once, and read later', async () => {
  let fails = true
  const world = given({
    fs: counting((at, file) => ({
      ...file,
      read: (...where) =>
        fails && at.includes('build-5')
          ? Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
          : file.read(...where),
    })).fs,
  })
  writeTraces(world)
  await world.scan()
  await world.drain()
  expect(world.events.filter(({ name }) => name === 'fileFailed')).toHaveLength(1)
  fails = false
  world.monotonicMs += 60_000
  await world.catchUp()
  expectOnce(world, BUILDS)
})

test('no more than a quarter of the files that may be open are opened ahead, and a drain that is stopped closes them', async () => {
  const { fs: counted, open } = counting()
  const world = given({ fs: counted, maxOpenFiles: 8 })
  writeTraces(world)
  await world.scan()
  let left = 5
  expect(await world.tail.drain(() => left-- === 0)).toBe(false)
  // Old traces are closed once they are read.
  expect(open.now).toBe(0)
  await world.drain()
  expect(open.most).toBeLessThanOrEqual(8 + 2)
  expectOnce(world, BUILDS)
})

test('a trace that was replaced before it was opened is not taken for the one that was seen', async () => {
  const world = given()
  writeTraces(world, ['a', 'b'])
  await world.scan()
  fs.renameSync(traceOf(world, 'a'), path.join(world.root, 'a', 'elsewhere'))
  fs.writeFileSync(traceOf(world, 'a'), 'successor\n')
  await world.drain()
  for (let i = 0; i < 2; i++) await world.catchUp()
  expectOnce(world, ['a', 'b', 'successor'])
})

test('a file is closed once, after the calls that are under way, and not asked again', async () => {
  const world = given()
  writeTraces(world, ['a', 'b'])
  const file = await nodeFileSystem.open(traceOf(world, 'a'))
  const facts = file.facts()
  const closings = [file.close(), file.close()]
  expect((await facts).size).toBe(2)
  await Promise.all(closings)
  // It gets the number of the one that was closed.
  const other = await nodeFileSystem.open(traceOf(world, 'b'))
  await expect(file.read(Buffer.alloc(1), 0, 1, 0)).rejects.toThrow('EBADF')
  await other.close()
})

/** A file of one content, whatever size it says that it has. */
const fileOf = (content: string, size: number, facts: FileFacts, ready: Promise<void>): OpenFile => ({
  facts: () => ready.then(() => ({ ...facts, size })),
  read: (buffer, offset, length, position) =>
    Promise.resolve(buffer.write(content.slice(position, position + length), offset)),
  close: () => Promise.resolve(),
})

async function textOf(file: OpenFile | undefined, position: number): Promise<string> {
  const buffer = Buffer.alloc(9)
  const got = (await file?.read(buffer, 0, buffer.length, position)) ?? 0
  return buffer.toString('utf8', 0, got)
}

test('bytes that were read ahead stay as they are until the next file is taken, and end where the file ended', async () => {
  const facts = await nodeFileSystem.stat(import.meta.dirname)
  const second = Promise.withResolvers<void>()
  const plain = {
    first: fileOf('first', 7, facts, Promise.resolve()),
    second: fileOf('second', 6, facts, second.promise),
  }
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    open: (at) => Promise.resolve(at === 'first' ? plain.first : plain.second),
  }
  const ahead = createReadAhead(fileSystem, 8)
  const files = ['first', 'second'].map((name) => newFile(name, facts))
  ahead.prepare(files, 0)
  const first = await ahead.take(files[0] as TrackedFile)
  plain.first.read = (buffer, offset) => Promise.resolve(buffer.write('later', offset))
  second.resolve()
  await second.promise
  await setImmediate()
  expect(await textOf(first, 0)).toBe('first')
  expect(await textOf(first, 5)).toBe('')
  expect(await textOf(await ahead.take(files[1] as TrackedFile), 0)).toBe('second')
})
