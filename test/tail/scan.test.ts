import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { nodeFileSystem, type FileSystem } from '../../src/tail/file-system.ts'
import { walk } from '../../src/tail/scan.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { expectOnce, faulty, given } from './given.ts'
import { TRACE } from './world.ts'

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

test('a FIFO given as a root, and links that lead out of the roots, are reported once', async () => {
  const world = given({ roots: (root) => [root, path.join(path.dirname(root), 'fifo')] })
  const outside = path.join(path.dirname(world.root), 'outside')
  fs.mkdirSync(outside)
  fs.writeFileSync(path.join(outside, TRACE), 'secret\n')
  fs.symlinkSync(outside, path.join(world.root, 'linked'))
  fs.symlinkSync(path.join(outside, TRACE), path.join(world.root, TRACE))
  fs.symlinkSync('/etc/passwd', path.join(world.root, 'no-trace'))
  fs.symlinkSync('/nowhere', path.join(world.root, 'dangling'))
  const fifo = path.join(path.dirname(world.root), 'fifo')
  execFileSync('mkfifo', [fifo])
  for (let i = 0; i < 3; i++) await world.catchUp()
  const skipped = world.events.filter(({ name }) => name === 'pathSkipped').map(({ args }) => args)
  expect(new Map(skipped as [string, string][])).toEqual(
    new Map([
      [fifo, 'not_a_file'],
      [path.join(world.root, TRACE), 'link_outside'],
      [path.join(world.root, 'linked'), 'link_outside'],
    ]),
  )
  expect(skipped).toHaveLength(3)
  expectOnce(world, [])
})

/** The most directories that a walk had looked at and not yet listed, and how many it listed. */
async function backlogOf(
  root: string,
  directories: readonly string[],
): Promise<{ most: number; listed: number }> {
  const waiting = new Set<string>()
  const counts = { most: 0, listed: 0 }
  const note = (at: string): void => {
    waiting.add(at)
    counts.most = Math.max(counts.most, waiting.size)
  }
  const watched: FileSystem = {
    ...nodeFileSystem,
    statAll: undefined,
    stat(at) {
      note(at)
      return nodeFileSystem.stat(at)
    },
    list(at) {
      waiting.delete(at)
      counts.listed++
      return nodeFileSystem.list(at)
    },
  }
  const facts = await nodeFileSystem.stat(root)
  const steps = walk(
    watched,
    [root],
    { fileName: TRACE, followSymlinks: false },
    {
      failed: (at, _, error) => expect.unreachable(`${at}: ${String(error)}`),
      isBackingOff: () => false,
      reachable: () => undefined,
      entered: () => undefined,
      skipped: () => undefined,
      unchanged: (at) =>
        at === root ? { ...facts, subdirectories: new Set(directories), trace: undefined } : undefined,
      now: () => 0,
    },
  )
  for (let done: boolean | undefined = false; done !== true;) ({ done } = await steps.next())
  return counts
}

test('very many directories that changed in one that did not are listed as they are found, and do not pile up', async () => {
  const root = temporaryDirectory()
  const directories = Array.from({ length: 1_000 }, (_, i) => path.join(root, `build-${i}`))
  for (const directory of directories) fs.mkdirSync(directory)
  const { most, listed } = await backlogOf(root, directories)
  expect(listed).toBe(directories.length)
  expect(most).toBeLessThan(100)
})
