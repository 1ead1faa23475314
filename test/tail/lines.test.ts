import fs from 'node:fs'
import { expect, test } from 'vitest'
import { expectOnce, given } from './given.ts'

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
