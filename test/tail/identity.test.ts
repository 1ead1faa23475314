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

  test('a rotated file is known again under another device number', async () => {
    let device: bigint | undefined
    const world = given({ fs: faulty((facts) => ({ ...facts, device: device ?? facts.device })) })
    fs.writeFileSync(world.trace, 'one\n')
    await world.catchUp()
    fs.renameSync(world.trace, `${world.trace}.1`)
    await world.catchUp()
    world.commit()
    await world.crash()
    device = 4_711n
    fs.appendFileSync(`${world.trace}.1`, 'two\n')
    fs.writeFileSync(world.trace, 'three\n')
    await world.catchUp()
    expectOnce(world, ['one', 'two', 'three'])
  })

  test.each([
    ['each file system tells birth times', (facts: FileFacts) => facts],
    ['none tells birth times', (facts: FileFacts) => ({ ...facts, birthNs: 0n })],
  ])('device numbers that change places between equal inodes change nothing: %s', async (_, births) => {
    const devices = { a: 40n, b: 41n }
    /** Two volumes, laid out alike: their files have the same inode. */
    const placed = (at: string, facts: FileFacts): FileFacts => {
      const volume = /[/](a|b)[/]/.exec(at)?.[1] as 'a' | 'b' | undefined
      return volume === undefined ? facts : { ...births(facts), device: devices[volume], inode: 12n }
    }
    const world = given({
      fs: {
        ...nodeFileSystem,
        stat: async (at) => placed(at, await nodeFileSystem.stat(at)),
        async open(at) {
          const handle = await nodeFileSystem.open(at)
          return { ...handle, facts: async () => placed(at, await handle.facts()) }
        },
      },
    })
    const traces = (['a', 'b'] as const).map((name) => path.join(world.root, name, TRACE))
    for (const trace of traces) {
      fs.mkdirSync(path.dirname(trace))
      fs.writeFileSync(trace, `first of ${trace}\n`)
      await world.catchUp()
    }
    for (const [i, change] of [
      { a: 41n, b: 42n },
      { a: 42n, b: 41n },
      { a: 40n, b: 42n },
    ].entries()) {
      world.commit()
      await world.crash()
      Object.assign(devices, change)
      for (const trace of traces) fs.appendFileSync(trace, `${i} of ${trace}\n`)
      await world.catchUp()
    }
    const written = traces.flatMap((trace) => ['first', '0', '1', '2'].map((line) => `${line} of ${trace}`))
    expectOnce(world, written)
    expect([world.registry.count(), world.tally.truncations]).toEqual([2, 0])
  })

  test.each([
    ['file systems tell birth times', (facts: FileFacts) => facts],
    ['none tells birth times', (facts: FileFacts) => ({ ...facts, birthNs: 0n })],
  ])(
    'a new file with the numbers that an old one had before a mount is another file: %s',
    async (_, births) => {
      let device = 41n
      const placed = (at: string, facts: FileFacts): FileFacts => {
        if (!facts.isFile) return facts
        return { ...births(facts), device: at.includes('/old/') ? device : 41n, inode: 12n }
      }
      const world = given({
        fs: {
          ...nodeFileSystem,
          stat: async (at) => placed(at, await nodeFileSystem.stat(at)),
          async open(at) {
            const handle = await nodeFileSystem.open(at)
            return { ...handle, facts: async () => placed(at, await handle.facts()) }
          },
        },
      })
      const [old, fresh] = ['old', 'new'].map((name) => path.join(world.root, name, TRACE)) as [
        string,
        string,
      ]
      fs.mkdirSync(path.dirname(old))
      fs.writeFileSync(old, 'one\n')
      await world.catchUp()
      world.commit()
      await world.crash()
      device = 42n
      fs.mkdirSync(path.dirname(fresh))
      fs.writeFileSync(fresh, 'two\n')
      await world.tail.look(fresh)
      await world.catchUp()
      expectOnce(world, ['one', 'two'])
      expect(world.tally.truncations).toBe(0)
    },
  )

  test('a name and a handle that never agree about which file it is fail, and are tried again at leisure', async () => {
    let opened = 0
    const world = given({
      fs: {
        ...nodeFileSystem,
        async open(at) {
          opened++
          const handle = await nodeFileSystem.open(at)
          return { ...handle, facts: async () => ({ ...(await handle.facts()), inode: 4_711n }) }
        },
      },
    })
    fs.writeFileSync(world.trace, 'one\n')
    await world.catchUp()
    expect(opened).toBe(2)
    expect([...world.tail.status()].map(({ condition }) => condition)).toEqual(['failing'])
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

  test('a file that could not be looked at for a while is sound again, though nothing is new in it', async () => {
    let refused = false
    const world = given({
      fs: {
        ...nodeFileSystem,
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

  test('a name that is not valid UTF-8 is told of, and the rest goes on', async () => {
    const world = given()
    const odd = Buffer.concat([Buffer.from(`${world.root}/`), Buffer.from([0x62, 0xff])])
    fs.mkdirSync(odd)
    fs.writeFileSync(Buffer.concat([odd, Buffer.from(`/${TRACE}`)]), 'unseen\n')
    fs.writeFileSync(world.trace, 'one\n')
    await world.catchUp()
    expectOnce(world, ['one'])
    const failed = world.events.filter(({ name }) => name === 'fileFailed')
    expect(failed.map(({ args }) => String(args[2]))).toEqual([expect.stringContaining('not valid UTF-8')])
    expect(world.tail.hasTransientFailures()).toBe(false)
  })

  test('a directory that may not be listed is told of once a minute, not at each scan', async () => {
    const world = given({
      fs: faulty(
        (facts) => facts,
        (operation) => (operation === 'list' ? 'EACCES' : undefined),
      ),
    })
    for (let i = 0; i < 60; i++) {
      world.monotonicMs += 10_000
      await world.catchUp()
    }
    expect(world.events.filter(({ name }) => name === 'fileFailed').length).toBeLessThan(20)
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
    world.monotonicMs += 60_000
    await world.catchUp()
    expectOnce(world, ['one', 'two'])
  })
})

describe('a hint is followed by the rules of a scan', () => {
  test.each([
    ['a link out of the roots', TRACE],
    ['a link with another name', 'passwd'],
  ])('%s is not followed', async (_, name) => {
    const world = given()
    const outside = path.join(path.dirname(world.root), 'outside.jsonl')
    fs.writeFileSync(outside, 'secret\n')
    const link = path.join(world.root, name)
    fs.symlinkSync(outside, link)
    await world.tail.look(link)
    await world.catchUp()
    expectOnce(world, [])
    expect(world.registry.count()).toBe(0)
  })

  test('a trace below a linked directory out of the roots is not read', async () => {
    const world = given()
    const outside = path.join(path.dirname(world.root), 'outside')
    fs.mkdirSync(outside)
    fs.writeFileSync(path.join(outside, TRACE), 'secret\n')
    fs.symlinkSync(outside, path.join(world.root, 'linked'))
    await world.tail.look(path.join(world.root, 'linked', TRACE))
    await world.catchUp()
    expectOnce(world, [])
  })

  test('a link to a trace within the roots is the same file', async () => {
    const world = given()
    fs.writeFileSync(world.trace, 'one\n')
    const link = path.join(world.root, 'b', TRACE)
    fs.mkdirSync(path.dirname(link))
    fs.symlinkSync(world.trace, link)
    await world.tail.look(link)
    await world.catchUp()
    expectOnce(world, ['one'])
  })
})

test('of what has been found, older content is read first', async () => {
  const world = given()
  for (const [name, seconds] of [
    ['a', 3],
    ['b', 1],
    ['c', 2],
  ] as const) {
    const trace = path.join(world.root, name, TRACE)
    fs.mkdirSync(path.dirname(trace))
    fs.writeFileSync(trace, `${name}\n`)
    fs.utimesSync(trace, seconds, seconds)
  }
  await world.catchUp()
  expect([...world.tally.lines.keys()]).toEqual(['b', 'c', 'a'])
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

test('a scan that is told to stop goes on from there at the next call', async () => {
  const world = given()
  for (const name of ['a', 'b', 'c']) {
    const trace = path.join(world.root, name, TRACE)
    fs.mkdirSync(path.dirname(trace))
    fs.writeFileSync(trace, `${name}\n`)
  }
  let calls = 1
  while (!(await world.tail.scan(() => true))) calls++
  expect(calls).toBeGreaterThan(6)
  await world.drain()
  expectOnce(world, ['a', 'b', 'c'])
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
