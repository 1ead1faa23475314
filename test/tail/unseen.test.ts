import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { nodeFileSystem } from '../../src/tail/file-system.ts'
import { expectOnce, faulty, given, lines, text } from './given.ts'
import type { World } from './world.ts'

/** Birth times come from a clock that ticks a hundred times a second at the least: the test lies between two ticks. */
const tick = (): Promise<void> => wait(30)

/** A world that has looked once; what is born later was not there. */
async function looked(options: Parameters<typeof given>[0] = {}): Promise<World> {
  const world = given(options)
  await world.catchUp()
  world.commit()
  await tick()
  world.nowMs = Date.now()
  return world
}

const names = (world: World, name: string): unknown[] =>
  world.events.filter((event) => event.name === name).map(({ args }) => args[0])

describe('a file that was rotated away before anybody looked is read', () => {
  test.each(['.1', '-20261125', '_old', '.2026-11-25T10:00'])('under the suffix %s', async (suffix) => {
    const world = await looked()
    const [a, b] = [lines('a', 3), lines('b', 2)]
    fs.writeFileSync(world.trace, text(a))
    fs.renameSync(world.trace, world.trace + suffix)
    fs.writeFileSync(world.trace, text(b))
    await world.catchUp()
    expectOnce(world, a, b)
    expect(names(world, 'rotationFound')).toEqual([world.trace + suffix])
  })

  test('while the exporter was down, several in a row', async () => {
    const world = await looked()
    await world.crash()
    const all = ['a', 'b', 'c', 'd'].map((name) => lines(name, 3))
    for (const [i, some] of all.entries()) {
      fs.writeFileSync(world.trace, text(some))
      for (let n = i; n > 0; n--) fs.renameSync(`${world.trace}.${n}`, `${world.trace}.${n + 1}`)
      fs.renameSync(world.trace, `${world.trace}.1`)
    }
    await world.catchUp()
    expectOnce(world, ...all)
  })

  test('right after the very first start, and not what was there before it', async () => {
    const world = given()
    const old = lines('old', 2)
    fs.writeFileSync(`${world.trace}.2`, text(old))
    await tick()
    world.nowMs = Date.now()
    await world.restart()
    const fresh = lines('fresh', 2)
    fs.writeFileSync(world.trace, text(fresh))
    fs.renameSync(world.trace, `${world.trace}.1`)
    await world.catchUp()
    await world.catchUp()
    world.commit()
    await world.crash()
    await world.catchUp()
    expectOnce(world, fresh)
  })

  test('when a hint names it, without a scan', async () => {
    const world = await looked()
    const a = lines('a', 3)
    fs.writeFileSync(world.trace, text(a))
    fs.renameSync(world.trace, `${world.trace}.1`)
    await world.tail.look(`${world.trace}.1`)
    await world.drain()
    expectOnce(world, a)
  })

  test('and read on while its writer still has it open, however often it is renamed', async () => {
    const world = await looked()
    fs.writeFileSync(world.trace, 'one\n')
    fs.renameSync(world.trace, `${world.trace}.1`)
    await world.catchUp()
    fs.appendFileSync(`${world.trace}.1`, 'two\n')
    fs.renameSync(`${world.trace}.1`, `${world.trace}.2`)
    await world.catchUp()
    world.commit()
    await world.crash()
    fs.appendFileSync(`${world.trace}.2`, 'three\n')
    fs.renameSync(`${world.trace}.2`, path.join(world.root, 'anything'))
    await world.catchUp()
    expectOnce(world, ['one', 'two', 'three'])
  })

  test('beside a root that is a file', async () => {
    const world = await looked({ roots: (root) => [path.join(root, 'my.log')] })
    const root = path.join(world.root, 'my.log')
    fs.writeFileSync(root, 'one\n')
    fs.renameSync(root, `${root}.1`)
    fs.writeFileSync(root, 'two\n')
    await world.catchUp()
    expectOnce(world, ['one', 'two'])
  })

  test('once its first line is whole: until then it may be a copy in the making', async () => {
    const world = await looked()
    fs.writeFileSync(`${world.trace}.1`, 'on')
    world.nowMs += 1_000
    await world.catchUp()
    world.commit()
    expect(world.registry.count()).toBe(0)
    await world.crash()
    fs.appendFileSync(`${world.trace}.1`, 'e\n')
    await world.catchUp()
    expectOnce(world, ['one'])
  })

  test('though its first line stands in another file, too', async () => {
    const world = await looked()
    fs.writeFileSync(world.trace, 'same\none\ntwo\n')
    await world.catchUp()
    fs.renameSync(world.trace, `${world.trace}.1`)
    fs.writeFileSync(world.trace, `same\n${text(lines('other', 3))}`)
    fs.renameSync(world.trace, `${world.trace}.2`)
    await world.catchUp()
    expect(world.tally.lines.get('same')).toBe(2)
    expect(world.tally.lines.get('other-0 ')).toBe(1)
  })

  test('though it was renamed while its directory was listed, so that it showed under neither name', async () => {
    let hidden = ''
    const world = await looked({
      fs: {
        ...nodeFileSystem,
        list: async (at) => (await nodeFileSystem.list(at)).filter(({ name }) => name !== hidden),
      },
    })
    fs.writeFileSync(world.trace, 'one\n')
    fs.renameSync(world.trace, `${world.trace}.1`)
    hidden = `${path.basename(world.trace)}.1`
    world.nowMs += 5_000
    await world.scan()
    hidden = ''
    fs.writeFileSync(path.join(world.root, 'unrelated'), '')
    world.nowMs += 5_000
    await world.catchUp()
    expectOnce(world, ['one'])
  })

  test('though its directory changed within one tick of its clock, before and after a slow disk had listed it', async () => {
    let meanwhile = (): void => undefined
    const world = await looked({
      fs: {
        ...nodeFileSystem,
        statAll: undefined,
        async stat(at) {
          const facts = await nodeFileSystem.stat(at)
          if (at.endsWith('.1')) meanwhile()
          return facts
        },
      },
    })
    const changed = new Date()
    fs.writeFileSync(`${world.trace}.1`, 'one\n')
    fs.utimesSync(world.root, changed, changed)
    meanwhile = () => {
      meanwhile = () => undefined
      fs.writeFileSync(`${world.trace}.2`, 'two\n')
      fs.utimesSync(world.root, changed, changed)
      world.nowMs += 3_000
    }
    await world.scan()
    world.nowMs += 5_000
    await world.catchUp()
    expectOnce(world, ['one', 'two'])
  })

  test('after a look that failed for a while', async () => {
    let refused = false
    const world = await looked({
      fs: faulty(
        (facts) => facts,
        (operation) => (refused && operation === 'list' ? 'EIO' : undefined),
      ),
    })
    fs.writeFileSync(world.trace, 'one\n')
    fs.renameSync(world.trace, `${world.trace}.1`)
    refused = true
    world.nowMs += 1_000
    await world.catchUp()
    refused = false
    world.monotonicMs += 60_000
    await world.catchUp()
    expectOnce(world, ['one'])
  })
})

describe('what is beside a trace and was never lost is not read', () => {
  test('copies: of a file that is truncated then, of one that grows on, of a copy, of a deleted file', async () => {
    const world = await looked()
    const [a, b, c] = [lines('a', 5), lines('b', 3), lines('c', 2)]
    fs.writeFileSync(world.trace, text(a))
    await world.catchUp()
    fs.copyFileSync(world.trace, `${world.trace}.1`)
    fs.truncateSync(world.trace)
    fs.appendFileSync(world.trace, text(b))
    await world.catchUp()
    fs.copyFileSync(world.trace, `${world.trace}.bak`)
    fs.appendFileSync(world.trace, text(c))
    fs.copyFileSync(`${world.trace}.1`, `${world.trace}.2`)
    await world.catchUp()
    fs.copyFileSync(world.trace, `${world.trace}.3`)
    fs.unlinkSync(world.trace)
    await world.catchUp()
    expectOnce(world, a, b, c)
  })

  test('a copy that is made before its original has ever been looked at', async () => {
    const world = await looked()
    const a = lines('a', 3)
    fs.writeFileSync(world.trace, text(a))
    fs.copyFileSync(world.trace, `${world.trace}.1`)
    fs.copyFileSync(world.trace, `${world.trace}.2`)
    await world.tail.look(`${world.trace}.1`)
    await world.catchUp()
    expectOnce(world, a)
  })

  test('a copy of a file that is replaced before it is read, and is still open', async () => {
    const world = await looked()
    fs.writeFileSync(world.trace, '')
    await world.catchUp()
    fs.writeFileSync(world.trace, 'one\n')
    fs.copyFileSync(world.trace, `${world.trace}.1`)
    fs.unlinkSync(world.trace)
    fs.writeFileSync(world.trace, 'two\n')
    await world.catchUp()
    expectOnce(world, ['one', 'two'])
  })

  test('a copy of what has taken the place of an unfinished first line', async () => {
    const world = await looked({ maxLineBytes: 120, sliceBytes: 48 })
    fs.writeFileSync(world.trace, 'u'.repeat(360))
    await world.scan()
    let slices = 2
    await world.tail.drain(() => slices-- === 0)
    const a = lines('a', 80)
    fs.writeFileSync(world.trace, text(a))
    fs.copyFileSync(world.trace, `${world.trace}.1`)
    fs.unlinkSync(world.trace)
    await world.catchUp()
    expectOnce(world, a)
  })

  test('a copy of what stands in a file that was truncated, written anew and renamed before it is read', async () => {
    const world = await looked()
    fs.writeFileSync(world.trace, text(lines('old', 2)))
    await world.catchUp()
    fs.writeFileSync(world.trace, text(lines('new', 9)))
    fs.copyFileSync(world.trace, `${world.trace}.1`)
    fs.renameSync(world.trace, path.join(world.root, 'aside'))
    await world.catchUp()
    expectOnce(world, lines('old', 2), lines('new', 9))
  })

  test('a copy of content that was truncated, found only after a crash', async () => {
    const world = await looked()
    const [a, b] = [lines('a', 5), lines('b', 6)]
    fs.writeFileSync(world.trace, text(a))
    await world.tail.look(world.trace)
    await world.drain()
    fs.copyFileSync(world.trace, path.join(world.root, 'aside'))
    fs.truncateSync(world.trace)
    fs.appendFileSync(world.trace, text(b))
    await world.tail.look(world.trace)
    await world.drain()
    world.commit()
    await world.crash()
    fs.renameSync(path.join(world.root, 'aside'), `${world.trace}.1`)
    await world.catchUp()
    expectOnce(world, a, b)
  })

  test('locks, drafts of editors, and compressed files, which are named once', async () => {
    const world = await looked()
    for (const suffix of ['.lock', '.tmp', '.swp', '~', 'x', '.gz', '-20261125.zst'])
      fs.writeFileSync(world.trace + suffix, 'nothing of ours\n')
    await world.catchUp()
    await world.catchUp()
    expectOnce(world)
    const named = names(world, 'compressedFound') as string[][]
    expect(named.map((paths) => paths.toSorted())).toEqual([
      [`${world.trace}-20261125.zst`, `${world.trace}.gz`],
    ])
  })

  test('a file of a directory that became a root only now', async () => {
    const world = await looked({ roots: (root) => [path.join(root, 'first')] })
    fs.mkdirSync(path.join(world.root, 'second'))
    const old = path.join(world.root, 'second', path.basename(world.trace))
    fs.writeFileSync(`${old}.1`, 'old\n')
    await tick()
    world.nowMs = Date.now()
    await world.restart((root) => [path.join(root, 'first'), path.join(root, 'second')])
    await world.catchUp()
    expectOnce(world)
  })
})

describe('where the file system keeps no birth times', () => {
  const noBirths = faulty((facts) => ({ ...facts, birthNs: 0n }))

  test('a file rotated unseen between two looks of one process is read', async () => {
    const world = await looked({ fs: noBirths })
    fs.writeFileSync(world.trace, 'one\n')
    fs.renameSync(world.trace, `${world.trace}.1`)
    await world.catchUp()
    expectOnce(world, ['one'])
  })

  test('one that was there before is never read, even if it is written to again', async () => {
    const world = given({ fs: noBirths })
    fs.writeFileSync(`${world.trace}.1`, 'old\n')
    await world.catchUp()
    world.commit()
    await tick()
    world.nowMs = Date.now()
    fs.appendFileSync(`${world.trace}.1`, 'older writer\n')
    await world.catchUp()
    await world.crash()
    await world.catchUp()
    expectOnce(world)
  })
})

test('a new file is durable before it is read, and a rename before anything else: any name leads to it after a crash', async () => {
  const world = await looked()
  fs.writeFileSync(world.trace, 'one\n')
  await world.tail.look(world.trace)
  await world.crash()
  fs.renameSync(world.trace, path.join(world.root, 'first'))
  await world.catchUp()
  fs.appendFileSync(path.join(world.root, 'first'), 'two\n')
  await world.crash()
  fs.renameSync(path.join(world.root, 'first'), path.join(world.root, 'second'))
  await world.catchUp()
  expectOnce(world, ['one', 'two'])
})
