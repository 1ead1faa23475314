import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createScratch } from '../../src/history/scratch.ts'
import { createTimeline } from '../../src/history/timeline.ts'
import { createRandom } from '../../src/simulate/random.ts'
import { temporaryDirectory } from '../setup/exporter.ts'

const NOW = 1_000_000

/** Files of different lengths whose times overlap; one of them is out of order, one in the future. */
function filesOf(seed: string, count: number, entries: number): number[][] {
  const random = createRandom(seed)
  const below = (n: number): number => Math.floor(random.next() * n)
  return Array.from({ length: count }, (_, file) => {
    let time = below(1_000)
    const times = Array.from({ length: below(entries) }, () => (time += below(4)))
    if (file === 1) times.splice(2, 1, 5_000)
    if (file === 2) times.push(NOW + 5)
    return times
  })
}

/** What a timeline says of these files, as `time file offset line`. */
function mergedOf(files: readonly (readonly number[])[], directory: string): string[] {
  const scratch = createScratch(directory)
  const timeline = createTimeline(scratch, NOW)
  for (const [file, times] of files.entries())
    for (const [n, time] of times.entries()) timeline.add(time, file, n * 100, 99, n + 1)
  timeline.end()
  const merged = [...timeline.merged()].map(({ timeMs, file, at, line }) => `${timeMs} ${file} ${at} ${line}`)
  timeline.close()
  scratch.remove()
  return merged
}

test('files are merged by time, each in its own order, equal times in the order of the files', () => {
  for (const seed of ['a', 'b', 'c', 'd', 'e']) {
    const files = filesOf(seed, 40, 60)
    const spots = mergedOf(files, temporaryDirectory()).map((line) => line.split(' ').map(Number))
    expect(spots).toHaveLength(files.flat().length)
    for (const [n, [time = 0, file = 0, at = 0]] of spots.entries()) {
      const [before = 0, earlier = 0, offset = 0] = spots[n - 1] ?? []
      expect(
        before < time || (before === time && (earlier < file || (earlier === file && offset < at))),
      ).toBe(true)
      expect(time).toBeLessThanOrEqual(NOW)
    }
    for (const file of files.keys())
      expect(spots.filter((spot) => spot[1] === file).map((spot) => spot[2])).toEqual(
        [...(files[file] as number[]).keys()].map((n) => n * 100),
      )
  }
})

test('of many entries the positions stand in a temporary file, which leaves nothing behind', () => {
  const directory = temporaryDirectory()
  const count = 300_000
  // The third file is out of order and lies across the border between the file on disk and memory.
  const files = [0, 1, 2].map((file) =>
    Array.from({ length: count }, (_, n) => (file === 2 && n % 1_000 === 7 ? 3 : 10 + n * 3 + file)),
  )
  const scratch = createScratch(directory)
  const timeline = createTimeline(scratch, NOW * 10)
  for (const [file, times] of files.entries())
    for (const [n, time] of times.entries()) timeline.add(time, file, n, 1, n + 1)
  timeline.end()
  expect(readdirSync(directory)).toHaveLength(1)
  let seen = 0
  let isMerged = true
  for (const { timeMs, file, at } of timeline.merged()) {
    const n = Math.floor(seen / 3)
    // A wrong time counts as that of the entry before it, or of the first one after it.
    const isWrong = file === 2 && at % 1_000 === 7
    if (!isWrong && timeMs !== 10 + at * 3 + file) isMerged = false
    if (Math.abs(at - n) > 1) isMerged = false
    seen++
  }
  expect({ seen, isMerged }).toEqual({ seen: 3 * count, isMerged: true })
  timeline.close()
  scratch.remove()
  expect(readdirSync(directory)).toEqual([])
})
