import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { nodeFileSystem } from '../../src/tail/file-system.ts'
import { expectOnce, faulty, given } from './given.ts'
import { TRACE } from './world.ts'

test('an unreadable file becomes readable: nothing is lost, other files go on meanwhile', async () => {
  let refused = true
  const world = given({
    fs: faulty(
      (facts) => facts,
      (operation, at) => (refused && operation === 'open' && at.includes('secret') ? 'EACCES' : undefined),
    ),
  })
  const secret = path.join(world.root, 'secret', TRACE)
  fs.mkdirSync(path.dirname(secret))
  fs.writeFileSync(secret, 'one\n')
  fs.writeFileSync(world.trace, 'two\n')
  await world.catchUp()
  expectOnce(world, ['two'])
  expect([...world.tail.status()].map(({ condition }) => condition).toSorted()).toEqual(['failing', 'hot'])
  refused = false
  world.monotonicMs += 60_000
  await world.catchUp()
  expectOnce(world, ['one', 'two'])
  expect(world.events.map(({ name }) => name)).toContain('fileRecovered')
})

test('a file that could not be looked at for a while is sound again, though nothing is new in it', async () => {
  let refused = false
  const world = given({
    fs: {
      ...nodeFileSystem,
      statAll: undefined,
      stat: (at) =>
        refused && at.endsWith(TRACE)
          ? Promise.reject(Object.assign(new Error('EACCES: injected'), { code: 'EACCES' }))
          : nodeFileSystem.stat(at),
    },
  })
  fs.writeFileSync(world.trace, 'one\n')
  await world.catchUp()
  const conditions = () => [...world.tail.status()].map(({ condition }) => condition)
  refused = true
  await world.catchUp()
  expect(conditions()).toEqual(['failing'])
  refused = false
  world.monotonicMs += 60_000
  await world.catchUp()
  expect(conditions()).not.toContain('failing')
})

test('a failing file that is deleted fails no longer', async () => {
  const world = given({
    fs: faulty(
      (facts) => facts,
      (operation) => (operation === 'open' ? 'EACCES' : undefined),
    ),
  })
  fs.writeFileSync(world.trace, 'one\n')
  await world.catchUp()
  fs.unlinkSync(world.trace)
  await world.catchUp()
  expect([...world.tail.status()].map(({ condition }) => condition)).toEqual(['cold'])
})

test('a clock set back does not keep a failing file waiting', async () => {
  let refused = true
  const world = given({
    fs: faulty(
      (facts) => facts,
      (operation) => (refused && operation === 'open' ? 'EMFILE' : undefined),
    ),
  })
  fs.writeFileSync(world.trace, 'one\n')
  await world.catchUp()
  refused = false
  world.nowMs -= 86_400_000
  world.monotonicMs += 60_000
  await world.catchUp()
  expectOnce(world, ['one'])
})

test('a directory that cannot be listed for a while loses nothing', async () => {
  let refused = false
  const world = given({
    fs: faulty(
      (facts) => facts,
      (operation) => (refused && operation === 'list' ? 'EIO' : undefined),
    ),
  })
  fs.writeFileSync(world.trace, 'one\n')
  await world.catchUp()
  world.commit()
  await world.crash()
  refused = true
  await world.catchUp()
  fs.appendFileSync(world.trace, 'two\n')
  refused = false
  world.monotonicMs += 60_000
  await world.catchUp()
  expectOnce(world, ['one', 'two'])
})
