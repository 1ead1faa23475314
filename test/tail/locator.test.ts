import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodeFileSystem, type FileFacts } from '../../src/tail/file-system.ts'
import { expectOnce, faulty, given, lines, text } from './given.ts'
import { TRACE, type World } from './world.ts'

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
      statAll: undefined,
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
        statAll: undefined,
        stat: async (at) => placed(at, await nodeFileSystem.stat(at)),
        async open(at) {
          const handle = await nodeFileSystem.open(at)
          return { ...handle, facts: async () => placed(at, await handle.facts()) }
        },
      },
    })
    const [old, fresh] = ['old', 'new'].map((name) => path.join(world.root, name, TRACE)) as [string, string]
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

test('a file that no path leads to is known for seven days, and forgotten after them', async () => {
  const world = given()
  const away = path.join(path.dirname(world.root), 'away')
  const leave = async (days: number): Promise<void> => {
    fs.renameSync(world.trace, away)
    await world.catchUp()
    world.commit()
    await world.crash()
    world.nowMs += days * 86_400_000
    await world.catchUp()
  }
  fs.writeFileSync(world.trace, 'one\n')
  await world.catchUp()
  world.commit()
  await world.crash()
  await leave(6.9)
  expect(world.registry.count()).toBe(1)
  fs.renameSync(away, world.trace)
  await world.catchUp()
  expectOnce(world, ['one'])
  await leave(7.1)
  expect(world.registry.count()).toBe(0)
})

describe('a longer copy that is renamed over a trace, as sync tools do', () => {
  const sync = (world: World, line: string): void => {
    const draft = path.join(world.root, '.draft')
    fs.copyFileSync(world.trace, draft)
    fs.appendFileSync(draft, `${line}\n`)
    fs.renameSync(draft, world.trace)
  }

  test('goes on at the position, while the exporter runs and while it is down', async () => {
    const world = given()
    fs.writeFileSync(world.trace, 'one\ntwo\n')
    await world.catchUp()
    for (const line of ['three', 'four']) {
      sync(world, line)
      await world.catchUp()
    }
    world.commit()
    await world.crash()
    sync(world, 'five')
    sync(world, 'six')
    await world.catchUp()
    expectOnce(world, ['one', 'two', 'three', 'four', 'five', 'six'])
    expect(world.registry.count()).toBe(1)
  })

  test('goes on where lines were not read yet when the file was replaced', async () => {
    const world = given()
    fs.writeFileSync(world.trace, text(lines('a', 200)))
    await world.catchUp()
    fs.appendFileSync(world.trace, text(lines('b', 200)))
    sync(world, 'last')
    await world.catchUp()
    expectOnce(world, lines('a', 200), lines('b', 200), ['last'])
  })

  test.each([
    ['a shorter one', (before: string) => before.slice(0, 4)],
    ['one with another beginning', (before: string) => before.replace('a-0', 'b-0')],
    ['one with another end of what was read', (before: string) => `${before.slice(0, -8)}changed\n`],
  ])('%s is a new file', async (_, change) => {
    const world = given()
    const before = text(lines('a', 100))
    fs.writeFileSync(world.trace, before)
    await world.catchUp()
    const draft = path.join(world.root, '.draft')
    fs.writeFileSync(draft, change(before))
    fs.renameSync(draft, world.trace)
    await world.catchUp()
    const all = [...world.tally.lines.values()].reduce((a, b) => a + b, 0)
    expect(all).toBe(100 + change(before).split('\n').length - 1)
  })

  test('a copy beside the file that it was made of is not taken for it', async () => {
    const world = given()
    fs.writeFileSync(world.trace, 'one\n')
    await world.catchUp()
    fs.renameSync(world.trace, path.join(world.root, 'moved'))
    fs.copyFileSync(path.join(world.root, 'moved'), world.trace)
    fs.appendFileSync(path.join(world.root, 'moved'), 'two\n')
    await world.catchUp()
    expect(world.tally.lines.get('two')).toBe(1)
    expect(world.registry.count()).toBe(2)
  })
})
