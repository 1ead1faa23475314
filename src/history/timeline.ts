import { makeMonotonic } from './file-clock.ts'
import { mergeRuns, type Run, type Spot } from './merge.ts'
import type { Scratch } from './scratch.ts'
import { createSpotFile, type SpotFile } from './spot-file.ts'

/**
 * Positions of all entries, merged by entry time: 24 bytes per entry, of many entries in a temporary file. A file with
 * timestamps out of order takes 20 bytes of memory for each of its entries when it ends.
 */
export interface Timeline {
  /** Records one entry, file by file, each in its own order. `at` and `length` are bytes; `line` counts from 1. */
  add(timeMs: number, file: number, at: number, length: number, line: number): void
  /** Call it after the last entry. */
  end(): void
  count(): number
  /** All entries, merged by time, each file in its own order, whatever its timestamps say. Call it after `end`. */
  merged(): Iterable<Spot>
  close(): void
}

/** Timestamps after `nowMs` are wrong. */
export function createTimeline(scratch: Scratch, nowMs: number): Timeline {
  const spots = createSpotFile(scratch)
  const runs: Run[] = []
  let open: OpenRun | undefined

  function endRun(): void {
    if (open !== undefined) runs.push(correct(open, spots, nowMs))
    open = undefined
  }

  return {
    add(timeMs, file, at, length, line) {
      if (open?.file !== file) {
        endRun()
        open = { file, from: spots.count(), firstMs: timeMs, lastMs: timeMs, isMonotonic: true }
      }
      if (timeMs < open.lastMs) open.isMonotonic = false
      open.lastMs = timeMs
      spots.add(timeMs, at, length, line)
    },
    end: endRun,
    count: () => spots.count(),
    merged: () => mergeRuns(spots, runs),
    close: () => spots.close(),
  }
}

/** The entries of the file that is being read. */
interface OpenRun {
  readonly file: number
  readonly from: number
  readonly firstMs: number
  lastMs: number
  isMonotonic: boolean
}

/** Makes the times of a file's entries never decrease. */
function correct({ file, from, firstMs, lastMs, isMonotonic }: OpenRun, spots: SpotFile, nowMs: number): Run {
  const to = spots.count()
  if (isMonotonic && lastMs <= nowMs) return { file, from, to, firstMs }
  const times = new Float64Array(to - from)
  for (let n = from; n < to; n += BLOCK_SPOTS) {
    const block = spots.read(n, Math.min(to, n + BLOCK_SPOTS))
    for (let i = 0; i < block.length; i++) times[n - from + i] = block.time(i)
  }
  makeMonotonic(times, nowMs)
  for (let n = 0; n < times.length; n += BLOCK_SPOTS)
    spots.setTimes(from + n, times.subarray(n, n + BLOCK_SPOTS))
  return { file, from, to, firstMs: times[0] as number }
}

const BLOCK_SPOTS = 65_536
