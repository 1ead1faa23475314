import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { expectOnce, faulty, given, lines, text } from './given.ts'
import { TRACE } from './world.ts'

test('a file deleted and made anew is read from its start, even where it gets the old inode', async () => {
  const world = given()
  const all: string[][] = []
  for (let round = 0; round < 8; round++) {
    const fresh = lines(`round${round}`, 3 + round)
    all.push(fresh)
    fs.writeFileSync(world.trace, text(fresh))
    await world.catchUp()
    world.commit()
    await world.crash()
    fs.unlinkSync(world.trace)
  }
  expectOnce(world, ...all)
})

test('an inode used again at another path is another file, though its content be the same', async () => {
  const world = given()
  const other = path.join(world.root, 'other', TRACE)
  fs.mkdirSync(path.dirname(other))
  const same = text(lines('same', 5))
  const inodes = new Set<bigint>()
  for (let round = 0; round < 6; round++) {
    const trace = round % 2 === 0 ? world.trace : other
    fs.writeFileSync(trace, same)
    inodes.add(fs.statSync(trace, { bigint: true }).ino)
    await world.catchUp()
    world.commit()
    await world.crash()
    fs.unlinkSync(trace)
  }
  expect([...world.tally.lines.values()]).toEqual([6, 6, 6, 6, 6])
  world.assertBalance()
})

test('without birth times an inode used again is noticed by its content', async () => {
  const world = given({ fs: faulty((facts) => ({ ...facts, birthNs: 0n })) })
  const all: string[][] = []
  for (let round = 0; round < 6; round++) {
    const fresh = lines(`round${round}`, 3 + round)
    all.push(fresh)
    fs.writeFileSync(world.trace, text(fresh))
    await world.catchUp()
    world.commit()
    await world.crash()
    fs.unlinkSync(world.trace)
  }
  expectOnce(world, ...all)
})

test('where the change time stands in for the birth time, a file that grows stays one file', async () => {
  const world = given({ fs: faulty((facts) => ({ ...facts, birthNs: facts.changedNs })) })
  const all: string[][] = []
  for (let round = 0; round < 4; round++) {
    const fresh = lines(`round${round}`, 3)
    all.push(fresh)
    fs.appendFileSync(world.trace, text(fresh))
    await world.catchUp()
    world.commit()
    await world.crash()
  }
  expectOnce(world, ...all)
})

test.each([
  ['known', true],
  ['not known yet', false],
])('a new file with an old inode in the tick of its birth is read once: birth times %s', async (_, known) => {
  // At first its birth and change times are one, as they are within a tick of the clock.
  let justBorn = false
  let birthNs = 1_000n
  const world = given({
    fs: faulty((facts) =>
      facts.isDirectory
        ? { ...facts, birthNs: known ? 1n : facts.changedNs }
        : { ...facts, birthNs, changedNs: justBorn ? birthNs : facts.changedNs, inode: 7n },
    ),
  })
  fs.writeFileSync(world.trace, text(lines('old', 5)))
  await world.catchUp()
  world.commit()
  await world.crash()
  fs.unlinkSync(world.trace)
  const fresh = lines('new', 4)
  fs.writeFileSync(world.trace, text(fresh))
  birthNs = 2_000n
  justBorn = true
  await world.catchUp()
  world.commit()
  await world.crash()
  justBorn = false
  fs.appendFileSync(world.trace, 'more\n')
  await world.catchUp()
  expectOnce(world, lines('old', 5), fresh, ['more'])
})

test('a file system that begins to tell birth times leaves the files what they were', async () => {
  let told = false
  const world = given({ fs: faulty((facts) => (told ? facts : { ...facts, birthNs: facts.changedNs })) })
  fs.writeFileSync(world.trace, 'one\n')
  await world.catchUp()
  fs.appendFileSync(world.trace, 'two\n')
  await world.catchUp()
  world.commit()
  await world.crash()
  told = true
  await world.catchUp()
  expectOnce(world, ['one', 'two'])
})
