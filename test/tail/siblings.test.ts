import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { nodeFileSystem, type FileSystem } from '../../src/tail/file-system.ts'
import { expectOnce, given } from './given.ts'
import { TRACE, type World } from './world.ts'

/** The real file system, and a note of each path that was looked at. */
function counted(): { fs: FileSystem; calls: string[] } {
  const calls: string[] = []
  return {
    calls,
    fs: {
      ...nodeFileSystem,
      statAll: undefined,
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

function writeBuild(world: World, name: string, siblings: number): string {
  const directory = path.join(world.root, name)
  fs.mkdirSync(directory, { recursive: true })
  for (let i = 0; i < siblings; i++) fs.writeFileSync(path.join(directory, `source-${i}.ts`), '')
  fs.writeFileSync(path.join(directory, TRACE), `${name}\n`)
  return directory
}

test('a missing trace costs a look nothing while its directory stays as it is', async () => {
  const { fs: watched, calls } = counted()
  const world = given({ fs: watched })
  const builds = ['a', 'b', 'c'].map((name) => writeBuild(world, name, 20))
  await world.catchUp()
  world.commit()
  await world.crash()
  for (const build of builds) {
    fs.writeFileSync(path.join(build, `${TRACE}.gz`), '')
    fs.unlinkSync(path.join(build, TRACE))
  }
  world.nowMs += 60_000
  await world.scan()
  const searched = calls.filter((call) => call.startsWith('stat source')).length
  expect(searched, 'each directory is looked through once').toBe(60)
  calls.length = 0
  await world.scan()
  // The walk itself looks at the root and at each directory, and lists those with a name to decide about.
  expect(calls.toSorted()).toEqual(
    ['list a', 'list b', 'list c', 'stat a', 'stat b', 'stat c', 'stat files'].toSorted(),
  )
})

test('many traces that are missing in one directory are looked for together', async () => {
  const { fs: watched, calls } = counted()
  const world = given({ fs: watched })
  const directory = writeBuild(world, 'a', 50)
  await world.catchUp()
  for (let i = 0; i < 10; i++) {
    fs.renameSync(path.join(directory, TRACE), path.join(directory, `${TRACE}.${i}`))
    fs.writeFileSync(path.join(directory, TRACE), `${i}\n`)
    await world.catchUp()
  }
  world.commit()
  await world.crash()
  for (let i = 0; i < 10; i++) fs.unlinkSync(path.join(directory, `${TRACE}.${i}`))
  calls.length = 0
  await world.scan()
  expect(calls.filter((call) => call.startsWith('stat source'))).toHaveLength(50)
})

test('a trace that comes back within one tick of its last change, after a slow disk had listed the directory, is found', async () => {
  let meanwhile = (): void => undefined
  const world = given({
    fs: {
      ...nodeFileSystem,
      async list(at) {
        const names = await nodeFileSystem.list(at)
        if (at.endsWith('a')) meanwhile()
        return names
      },
    },
  })
  const directory = writeBuild(world, 'a', 1)
  await world.catchUp()
  world.commit()
  await world.crash()
  const away = path.join(path.dirname(world.root), 'away')
  fs.renameSync(path.join(directory, TRACE), away)
  const changed = new Date()
  fs.utimesSync(directory, changed, changed)
  world.nowMs = changed.getTime()
  let lists = 0
  meanwhile = () => {
    // The walk lists it first, then the search for the file that is missing.
    if (++lists < 2) return
    meanwhile = () => undefined
    fs.appendFileSync(away, 'more\n')
    fs.renameSync(away, path.join(directory, 'back-again'))
    fs.utimesSync(directory, changed, changed)
    world.nowMs += 3_000
  }
  await world.scan()
  expect(lists).toBe(2)
  world.nowMs += 5_000
  await world.catchUp()
  expectOnce(world, ['a', 'more'])
})

test('in a directory that has changed, only what is new is looked at for a file that was missing before', async () => {
  const { fs: watched, calls } = counted()
  const world = given({ fs: watched })
  const directory = writeBuild(world, 'a', 50)
  await world.catchUp()
  world.commit()
  await world.crash()
  const away = path.join(path.dirname(world.root), 'away')
  fs.renameSync(path.join(directory, TRACE), away)
  world.nowMs += 60_000
  await world.scan()
  calls.length = 0
  fs.appendFileSync(away, 'more\n')
  fs.renameSync(away, path.join(directory, 'back-again'))
  await world.catchUp()
  expect(calls.filter((call) => call.startsWith('stat source'))).toEqual([])
  expectOnce(world, ['a', 'more'])
})
