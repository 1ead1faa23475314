import fs from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { nodeFileSystem, type FileFacts, type FileSystem } from '../../src/tail/file-system.ts'
import { createWorld, TRACE, type World, type WorldOptions } from './world.ts'

const worlds: World[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.end()
})

function given(options: WorldOptions = {}): World {
  const world = createWorld(options)
  fs.mkdirSync(world.root, { recursive: true })
  worlds.push(world)
  return world
}

/** As many lines, each of its own. */
const lines = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${name}-${i} ${'é'.repeat(i % 7)}`)
const text = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('')

function expectOnce(world: World, ...all: readonly string[][]): void {
  const wanted = Object.fromEntries(all.flat().map((line) => [line, 1]))
  expect(Object.fromEntries(world.tally.lines)).toEqual(wanted)
  world.assertBalance()
}

describe('a file is not its path', () => {
  test('a file renamed with unread lines is read to its end, and the new file at its path from its start', async () => {
    const world = given()
    const [a, b, c, d] = [lines('a', 3), lines('b', 2), lines('c', 4), lines('d', 2)]
    fs.writeFileSync(world.trace, text(a))
    await world.catchUp()
    fs.appendFileSync(world.trace, text(b))
    fs.renameSync(world.trace, `${world.trace}.1`)
    fs.writeFileSync(world.trace, text(c))
    await world.catchUp()
    fs.appendFileSync(`${world.trace}.1`, text(d))
    await world.catchUp()
    expectOnce(world, a, b, c, d)
    expect(world.tally.rotations).toBe(1)
    expect(world.tally.truncations).toBe(0)
  })

  test('a rotation while the exporter was down loses nothing', async () => {
    const world = given()
    const [a, b, c] = [lines('a', 3), lines('b', 2), lines('c', 4)]
    fs.writeFileSync(world.trace, text(a))
    await world.catchUp()
    world.commit()
    await world.crash()
    fs.appendFileSync(world.trace, text(b))
    fs.renameSync(world.trace, `${world.trace}.1`)
    fs.writeFileSync(world.trace, text(c))
    await world.catchUp()
    expectOnce(world, a, b, c)
  })

  test('two rotations between two looks are both followed', async () => {
    const world = given()
    const [a, b, c, d] = [lines('a', 3), lines('b', 2), lines('c', 4), lines('d', 1)]
    fs.writeFileSync(world.trace, text(a))
    await world.catchUp()
    fs.renameSync(world.trace, `${world.trace}.1`)
    fs.writeFileSync(world.trace, text(b))
    await world.catchUp()
    fs.appendFileSync(world.trace, text(c))
    fs.renameSync(`${world.trace}.1`, `${world.trace}.2`)
    fs.renameSync(world.trace, `${world.trace}.1`)
    fs.writeFileSync(world.trace, text(d))
    await world.catchUp()
    expectOnce(world, a, b, c, d)
  })

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

  test('a deleted file is read to its end where it was open', async () => {
    const world = given()
    fs.writeFileSync(world.trace, 'one\n')
    await world.catchUp()
    fs.appendFileSync(world.trace, 'two\n')
    fs.unlinkSync(world.trace)
    await world.catchUp()
    await world.catchUp()
    expectOnce(world, ['one', 'two'])
    expect(world.registry.count()).toBe(0)
  })

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

  test('two hard links to one file are one file', async () => {
    const world = given()
    const other = path.join(world.root, 'linked', TRACE)
    fs.mkdirSync(path.dirname(other))
    fs.writeFileSync(world.trace, 'one\n')
    fs.linkSync(world.trace, other)
    await world.catchUp()
    fs.appendFileSync(other, 'two\n')
    await world.catchUp()
    fs.unlinkSync(world.trace)
    fs.appendFileSync(other, 'three\n')
    await world.catchUp()
    expectOnce(world, ['one', 'two', 'three'])
    expect(world.registry.count()).toBe(1)
  })

  test('two files of equal content are two files', async () => {
    const world = given()
    const other = path.join(world.root, 'twin', TRACE)
    fs.mkdirSync(path.dirname(other))
    fs.writeFileSync(world.trace, 'one\ntwo\n')
    fs.copyFileSync(world.trace, other)
    await world.catchUp()
    world.commit()
    await world.crash()
    await world.catchUp()
    expect(Object.fromEntries(world.tally.lines)).toEqual({ one: 2, two: 2 })
  })

  test('a file replaced by rename is another file; the one that it replaced is read to its end', async () => {
    const world = given()
    fs.writeFileSync(world.trace, 'one\n')
    await world.catchUp()
    fs.appendFileSync(world.trace, 'two\n')
    const draft = path.join(world.root, 'draft')
    fs.writeFileSync(draft, 'three\nfour\n')
    fs.renameSync(draft, world.trace)
    await world.catchUp()
    expectOnce(world, ['one', 'two', 'three', 'four'])
  })

  test('a path that two files swap keeps them apart', async () => {
    const world = given()
    const other = path.join(world.root, 'other', TRACE)
    fs.mkdirSync(path.dirname(other))
    fs.writeFileSync(world.trace, 'one\n')
    fs.writeFileSync(other, 'two\n')
    await world.catchUp()
    world.commit()
    await world.crash()
    fs.renameSync(world.trace, `${world.trace}.swap`)
    fs.renameSync(other, world.trace)
    fs.renameSync(`${world.trace}.swap`, other)
    fs.appendFileSync(world.trace, 'three\n')
    fs.appendFileSync(other, 'four\n')
    await world.catchUp()
    expectOnce(world, ['one', 'two', 'three', 'four'])
  })

  test('a file moved away and back goes on where it was', async () => {
    const world = given()
    const away = path.join(path.dirname(world.root), 'away')
    fs.writeFileSync(world.trace, 'one\n')
    await world.catchUp()
    world.commit()
    await world.crash()
    fs.renameSync(world.trace, away)
    await world.catchUp()
    world.commit()
    await world.crash()
    fs.appendFileSync(away, 'two\n')
    fs.renameSync(away, world.trace)
    await world.catchUp()
    expectOnce(world, ['one', 'two'])
  })
})

/** The real file system, with facts as `change` gives them; a fault is thrown where `fault` says so. */
function faulty(
  change: (facts: FileFacts) => FileFacts,
  fault: (operation: 'open' | 'read' | 'list', path: string) => string | undefined = () => undefined,
): FileSystem {
  const check = (operation: 'open' | 'read' | 'list', at: string): void => {
    const code = fault(operation, at)
    if (code !== undefined)
      throw Object.assign(new Error(`${code}: injected, ${operation} '${at}'`), { code })
  }
  return {
    ...nodeFileSystem,
    async open(at) {
      check('open', at)
      const handle = await nodeFileSystem.open(at)
      return {
        facts: async () => change(await handle.facts()),
        async read(buffer, offset, length, position) {
          check('read', at)
          return handle.read(buffer, offset, length, position)
        },
        close: () => handle.close(),
      }
    },
    async list(at) {
      check('list', at)
      return nodeFileSystem.list(at)
    },
    stat: async (at) => change(await nodeFileSystem.stat(at)),
    lstat: async (at) => change(await nodeFileSystem.lstat(at)),
  }
}

describe('where the file system is not what it should be', () => {
  test('a device number that changes with a new mount changes nothing', async () => {
    let device: bigint | undefined
    const world = given({ fs: faulty((facts) => ({ ...facts, device: device ?? facts.device })) })
    fs.writeFileSync(world.trace, 'one\ntwo\n')
    await world.catchUp()
    world.commit()
    await world.crash()
    device = 4_711n
    fs.appendFileSync(world.trace, 'three\n')
    await world.catchUp()
    expectOnce(world, ['one', 'two', 'three'])
    expect(world.registry.count()).toBe(1)
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
  ])(
    'a new file with an old inode in the tick of its birth is read once: birth times %s',
    async (_, known) => {
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
    },
  )

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
    await world.catchUp()
    expectOnce(world, ['one', 'two'])
  })
})

describe('lines', () => {
  test('whatever the size of a slice, lines come out the same', async () => {
    const content = Buffer.concat([
      Buffer.from('\uFEFFfirst\r\n\n   \t\n'),
      Buffer.from(`${'ü'.repeat(90)}\n`),
      Buffer.from([0x61, 0xff, 0xfe, 0x0a]),
      Buffer.from(`${'x'.repeat(700)}\n`),
      Buffer.from(`${' '.repeat(100)}\nlast\nunfini`),
    ])
    const tallies: unknown[] = []
    for (const sliceBytes of [1, 2, 3, 5, 16, 64, 1_000, 100_000]) {
      const world = given({ sliceBytes, maxLineBytes: 300 })
      fs.writeFileSync(world.trace, content)
      await world.catchUp()
      world.assertBalance()
      tallies.push({ ...world.tally })
    }
    expect(tallies[0]).toMatchObject({
      lines: new Map([
        ['first', 1],
        ['ü'.repeat(90), 1],
        ['last', 1],
      ]),
      tooLong: 1,
      bytes: { rejected: 4 },
    })
    for (const tally of tallies) expect(tally).toEqual(tallies[0])
  })

  test('a first line as long as may be, after a byte order mark, is read in one piece or in several', async () => {
    for (const split of [0, 3, 4, 12, 13]) {
      const world = given({ maxLineBytes: 10 })
      const content = Buffer.from('\uFEFF0123456789\n')
      fs.writeFileSync(world.trace, content.subarray(0, split))
      await world.catchUp()
      fs.appendFileSync(world.trace, content.subarray(split))
      await world.catchUp()
      expectOnce(world, ['0123456789'])
    }
  })
})
