import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { expectOnce, given } from './given.ts'
import { TRACE } from './world.ts'

test('a deleted file is read to its end where it was open', async () => {
  const world = given()
  fs.writeFileSync(world.trace, 'one\n')
  await world.catchUp()
  fs.appendFileSync(world.trace, 'two\n')
  fs.unlinkSync(world.trace)
  await world.catchUp()
  await world.catchUp()
  expectOnce(world, ['one', 'two'])
})

test('a deleted file that somebody still writes to is read on, until it is quiet for long', async () => {
  const world = given({ coldAfterMs: 300_000 })
  const writer = fs.openSync(world.trace, 'a')
  fs.writeSync(writer, 'one\n')
  await world.catchUp()
  fs.unlinkSync(world.trace)
  await world.catchUp()
  world.nowMs += 299_000
  await world.catchUp()
  fs.writeSync(writer, 'two\n')
  fs.closeSync(writer)
  await world.catchUp()
  expectOnce(world, ['one', 'two'])
  world.nowMs += 301_000
  await world.catchUp()
  expect(world.registry.count()).toBe(0)
})

test('deleted files do not use up the handles', async () => {
  const world = given({ maxOpenFiles: 4 })
  for (const name of ['a', 'b', 'c', 'd']) {
    const trace = path.join(world.root, name, TRACE)
    fs.mkdirSync(path.dirname(trace))
    fs.writeFileSync(trace, `${name}\n`)
    await world.catchUp()
    fs.unlinkSync(trace)
    await world.catchUp()
  }
  expect(world.registry.count()).toBe(2)
  expectOnce(world, ['a', 'b', 'c', 'd'])
})

test('a file that is read often stays open longer than one that is not', async () => {
  const world = given({ maxOpenFiles: 2 })
  const append = async (name: string): Promise<void> => {
    const trace = path.join(world.root, name, TRACE)
    fs.mkdirSync(path.dirname(trace), { recursive: true })
    fs.appendFileSync(trace, `${name}\n`)
    await world.tail.look(trace)
    await world.drain()
  }
  for (const name of ['busy', 'quiet', 'busy', 'third']) await append(name)
  const open = [...world.tail.status()].filter(({ condition }) => condition === 'hot')
  expect(open.map(({ file }) => path.basename(path.dirname(file.path))).toSorted()).toEqual(['busy', 'third'])
})
