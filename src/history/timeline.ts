import { makeMonotonic } from './file-clock.ts'
import { mergeRuns, type Piece, type Run, type Spot } from './merge.ts'
import type { Scratch } from './scratch.ts'
import { createSpotFile, type SpotFile } from './spot-file.ts'

/**
 * Positions of all entries, merged by entry time: 24 bytes per entry, of many entries in a temporary file. A file with
 * timestamps out of order takes 20 bytes of memory for each of its entries while it is corrected.
 */
export interface Timeline {
  /** Records one entry; those of one file in its own order. `at` and `length` are bytes; `line` counts from 1. */
  add(timeMs: number, file: number, at: number, length: number, line: number): void
  /** Call it after the last entry. Of equal times, those of the file that is less come first. */
  end(compare?: (a: number, b: number) => number): void
  count(): number
  /** All entries, merged by time, each file in its own order, whatever its timestamps say. Call it after `end`. */
  merged(): Iterable<Spot>
  close(): void
}

/** Timestamps after `nowMs` are wrong. */
export function createTimeline(scratch: Scratch, nowMs: number): Timeline {
  const spots = createSpotFile(scratch)
  const open = new Map<number, OpenRun>()
  let runs: Run[] = []
  let current: OpenRun | undefined

  /** The file's run, with a piece that ends here. */
  function runOf(file: number, timeMs: number): OpenRun {
    const run = open.get(file) ?? { file, pieces: [], firstMs: timeMs, lastMs: timeMs, isMonotonic: true }
    open.set(file, run)
    run.pieces.push({ from: spots.count(), to: spots.count() })
    return run
  }

  return {
    add(timeMs, file, at, length, line) {
      if (current?.file !== file) current = runOf(file, timeMs)
      if (timeMs < current.lastMs) current.isMonotonic = false
      current.lastMs = timeMs
      spots.add(timeMs, at, length, line)
      const piece = current.pieces.at(-1) as OpenPiece
      piece.to = spots.count()
    },
    end(compare = (a, b) => a - b) {
      runs = [...open.values()]
        .sort((a, b) => compare(a.file, b.file))
        .map((run) => correct(run, spots, nowMs))
      open.clear()
    },
    count: () => spots.count(),
    merged: () => mergeRuns(spots, runs),
    close: () => spots.close(),
  }
}

interface OpenPiece extends Piece {
  to: number
}

/** The entries of one file. */
interface OpenRun {
  readonly file: number
  readonly pieces: OpenPiece[]
  readonly firstMs: number
  lastMs: number
  isMonotonic: boolean
}

/** Makes the times of a file's entries never decrease. */
function correct(
  { file, pieces, firstMs, lastMs, isMonotonic }: OpenRun,
  spots: SpotFile,
  nowMs: number,
): Run {
  if (isMonotonic && lastMs <= nowMs) return { file, pieces, firstMs }
  const times = new Float64Array(pieces.reduce((sum, { from, to }) => sum + to - from, 0))
  let filled = 0
  for (const { from, to } of blocksOf(pieces)) {
    const block = spots.read(from, to)
    for (let i = 0; i < block.length; i++) times[filled++] = block.time(i)
  }
  makeMonotonic(times, nowMs)
  let written = 0
  for (const { from, to } of blocksOf(pieces)) {
    spots.setTimes(from, times.subarray(written, written + to - from))
    written += to - from
  }
  return { file, pieces, firstMs: times[0] as number }
}

const BLOCK_SPOTS = 65_536

function* blocksOf(pieces: readonly Piece[]): Generator<Piece> {
  for (const { from, to } of pieces)
    for (let n = from; n < to; n += BLOCK_SPOTS) yield { from: n, to: Math.min(to, n + BLOCK_SPOTS) }
}
