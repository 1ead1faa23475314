import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodeFileSystem, type FileSystem } from '../../src/tail/file-system.ts'
import { expectOnce, given } from './given.ts'
import { TRACE, type World } from './world.ts'

/** Longer than a directory may have changed without a trace. */
const WHILE_MS = 60_000
/** In seconds since 1970. */
const LONG_AGO = 1_000_000_000
/** A trace quiet for longer is closed. */
const COLD_MS = 3_600_000

/** The real file system, and a note of each directory that was listed and each path that was looked at alone. */
function counted(more: Partial<FileSystem> = {}): { fs: FileSystem; calls: string[] } {
  const calls: string[] = []
  return {
    calls,
    fs: {
      ...nodeFileSystem,
      keepsChangeTimes: () => Promise.resolve(true),
      ...more,
      stat(at) {
        calls.push(`stat ${path.basename(at)}`)
        return nodeFileSystem.stat(at)
      },
      list(at) {
        calls.push(`list ${path.basename(at)}`)
        return nodeFileSystem.list(at)
      },
    },
  }
}

const traceOf = (world: World, build: string): string => path.join(world.root, build, TRACE)

function writeTrace(trace: string, line: string): void {
  fs.mkdirSync(path.dirname(trace), { recursive: true })
  fs.writeFileSync(trace, `${line}\n`)
}

/** Builds that are over, looked at twice since their directories changed last. */
async function settledBuilds(fileSystem: FileSystem, ...builds: string[]): Promise<World> {
  const world = given({ fs: fileSystem })
  for (const build of builds) writeTrace(traceOf(world, build), build)
  world.nowMs += WHILE_MS
  for (let i = 0; i < 2; i++) await world.catchUp()
  return world
}

test('builds that are over are looked at together, and none of their directories is listed', async () => {
  const { fs: watched, calls } = counted()
  const world = await settledBuilds(watched, 'a', 'b', 'c/d')
  calls.length = 0
  await world.scan()
  expect(calls).toEqual([])
  expectOnce(world, ['a', 'b', 'c/d'])
})

test('a directory that changed a moment before it was listed is listed again', async () => {
  const { fs: watched, calls } = counted()
  const world = given({ fs: watched })
  writeTrace(traceOf(world, 'a'), 'a')
  world.nowMs = Date.now()
  await world.scan()
  calls.length = 0
  await world.scan()
  expect(calls).toContain('list a')
})

test('directories are listed each time where their change times mean nothing', async () => {
  const { fs: watched, calls } = counted({
    keepsChangeTimes: () => Promise.resolve(false),
    statAll: undefined,
  })
  const world = await settledBuilds(watched, 'a')
  calls.length = 0
  await world.scan()
  expect(calls).toEqual(['stat files', 'list files', 'stat a', 'list a', `stat ${TRACE}`])
})

describe('the next scan sees, in a directory that was settled,', () => {
  const CHANGES: Readonly<Record<string, { change: (world: World) => void; lines: string[] }>> = {
    'a line that is added to an old trace': {
      change: (world) => fs.appendFileSync(traceOf(world, 'a'), 'more\n'),
      lines: ['a', 'more'],
    },
    'a trace in the place of another': {
      change: (world) => {
        writeTrace(path.join(world.root, 'new'), 'other')
        fs.renameSync(path.join(world.root, 'new'), traceOf(world, 'a'))
      },
      lines: ['a', 'other'],
    },
    'a trace that is truncated and written again with the same size': {
      change: (world) => fs.writeFileSync(traceOf(world, 'a'), 'z\n'),
      lines: ['a', 'z'],
    },
    'a rotated trace and its successor': {
      change: (world) => {
        fs.appendFileSync(traceOf(world, 'a'), 'last\n')
        fs.renameSync(traceOf(world, 'a'), `${traceOf(world, 'a')}.1`)
        fs.writeFileSync(traceOf(world, 'a'), 'first\n')
      },
      lines: ['a', 'last', 'first'],
    },
    'a directory in it': {
      change: (world) => writeTrace(path.join(world.root, 'a', 'deep', 'down', TRACE), 'deep'),
      lines: ['a', 'deep'],
    },
    'a trace that comes under the times of an old directory, as with rsync': {
      change: (world) => {
        const empty = path.join(world.root, 'empty')
        writeTrace(path.join(empty, TRACE), 'synced')
        fs.utimesSync(empty, LONG_AGO, LONG_AGO)
      },
      lines: ['a', 'synced'],
    },
    'another directory in its place': {
      change: (world) => {
        writeTrace(traceOf(world, 'b'), 'b')
        fs.renameSync(path.join(world.root, 'a'), path.join(world.root, 'gone'))
        fs.renameSync(path.join(world.root, 'b'), path.join(world.root, 'a'))
      },
      lines: ['a', 'b'],
    },
  }
  test.each(Object.entries(CHANGES))('%s', async (_, { change, lines }) => {
    const world = given({ fs: counted().fs })
    writeTrace(traceOf(world, 'a'), 'a')
    fs.mkdirSync(path.join(world.root, 'empty'))
    fs.utimesSync(path.join(world.root, 'empty'), LONG_AGO, LONG_AGO)
    world.nowMs += WHILE_MS
    for (let i = 0; i < 2; i++) await world.catchUp()
    change(world)
    world.nowMs += WHILE_MS
    await world.scan()
    await world.drain()
    expectOnce(world, lines)
  })
})

test('a build that is removed leaves no trace behind that is taken for found', async () => {
  const world = await settledBuilds(counted().fs, 'a', 'b')
  world.nowMs += COLD_MS
  await world.tail.poll()
  fs.rmSync(path.join(world.root, 'a'), { recursive: true })
  await world.scan()
  const missing = [...world.registry.all()].filter(({ missingSinceMs }) => missingSinceMs !== undefined)
  expect(missing.map((file) => file.path)).toEqual([traceOf(world, 'a')])
})
