import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { given } from './given.ts'
import { TRACE } from './world.ts'

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
