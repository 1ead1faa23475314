import fs from 'node:fs'
import { afterEach, expect } from 'vitest'
import { nodeFileSystem, type FileFacts, type FileSystem } from '../../src/tail/file-system.ts'
import { createWorld, type World, type WorldOptions } from './world.ts'

const worlds: World[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.end()
})

/** A world that ends with its test. */
export function given(options: WorldOptions = {}): World {
  const world = createWorld(options)
  fs.mkdirSync(world.root, { recursive: true })
  worlds.push(world)
  return world
}

/** `count` lines that no other name has. */
export const lines = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${name}-${i} ${'é'.repeat(i % 7)}`)
export const text = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('')

/** Each of these lines was handed on once, and no other. */
export function expectOnce(world: World, ...all: readonly string[][]): void {
  const wanted = Object.fromEntries(all.flat().map((line) => [line, 1]))
  expect(Object.fromEntries(world.tally.lines)).toEqual(wanted)
  world.assertBalance()
}

/** The real file system with changed facts; an operation for which `fault` returns a code fails with it. */
export function faulty(
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
    statAll: undefined,
    lstat: async (at) => change(await nodeFileSystem.lstat(at)),
  }
}
