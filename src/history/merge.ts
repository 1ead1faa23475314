import type { FileSpot, SpotBlock, SpotFile } from './spot-file.ts'

/** Consecutive spots. */
export interface Piece {
  readonly from: number
  /** Not included. */
  readonly to: number
}

/** The entries of one file: spots whose times never decrease. */
export interface Run {
  readonly file: number
  readonly pieces: readonly Piece[]
  readonly firstMs: number
}

export interface Spot extends FileSpot {
  readonly file: number
}

/** The spots that all files being merged hold in memory together: 24 MiB. */
const MERGE_SPOTS = 1 << 20
const [MIN_BLOCK, MAX_BLOCK] = [16, 8_192]

/**
 * Merges the runs by time; of equal times, those of the earlier run come first. A run is opened when the merge reaches
 * its first time, so memory depends on how many files overlap in time, and never on how many entries there are.
 */
export function* mergeRuns(spots: SpotFile, runs: readonly Run[]): Generator<Spot> {
  const waiting = Uint32Array.from(runs.keys()).sort(
    (a, b) => (runs[a] as Run).firstMs - (runs[b] as Run).firstMs || a - b,
  )
  const heap = createHeap()
  let opened = 0
  for (;;) {
    for (; opened < waiting.length; opened++) {
      const index = waiting[opened] as number
      const run = runs[index] as Run
      const top = heap.top()
      if (top !== undefined && run.firstMs > top.timeMs) break
      const cursor = new Cursor(spots, run, index)
      if (cursor.advance(blockSize(heap.size()))) heap.push(cursor)
    }
    const cursor = heap.top()
    if (cursor === undefined) return
    yield cursor.spot()
    if (cursor.advance(blockSize(heap.size()))) heap.sinkTop()
    else heap.pop()
  }
}

const blockSize = (open: number): number =>
  Math.max(MIN_BLOCK, Math.min(MAX_BLOCK, Math.floor(MERGE_SPOTS / (open + 1))))

/** Goes through the spots of one run. */
class Cursor {
  /** Time of the current spot. */
  timeMs = Number.NEGATIVE_INFINITY
  readonly index: number
  readonly #spots: SpotFile
  readonly #run: Run
  #block: SpotBlock | undefined
  #at = 0
  #piece = 0
  #next: number

  constructor(spots: SpotFile, run: Run, index: number) {
    this.#spots = spots
    this.#run = run
    this.index = index
    this.#next = run.pieces[0]?.from ?? 0
  }

  /** Goes to the next spot; false at the end. */
  advance(blockSpots: number): boolean {
    this.#at++
    if (this.#block === undefined || this.#at >= this.#block.length) {
      const piece = this.#pieceInTurn()
      if (piece === undefined) return false
      const to = Math.min(piece.to, this.#next + blockSpots)
      this.#block = this.#spots.read(this.#next, to)
      this.#next = to
      this.#at = 0
    }
    this.timeMs = this.#block.time(this.#at)
    return true
  }

  /** The piece with the next spot; `undefined` at the end. */
  #pieceInTurn(): Piece | undefined {
    const { pieces } = this.#run
    if (this.#next === pieces[this.#piece]?.to) this.#next = pieces[++this.#piece]?.from ?? this.#next
    return pieces[this.#piece]
  }

  spot(): Spot {
    return { ...(this.#block as SpotBlock).get(this.#at), file: this.#run.file }
  }

  isBefore(other: Cursor): boolean {
    return this.timeMs < other.timeMs || (this.timeMs === other.timeMs && this.index < other.index)
  }
}

interface Heap {
  size(): number
  /** The cursor whose spot comes first. */
  top(): Cursor | undefined
  push(cursor: Cursor): void
  pop(): void
  /** Call it when the top cursor has advanced. */
  sinkTop(): void
}

function createHeap(): Heap {
  const cursors: Cursor[] = []

  function sinkTop(): void {
    const cursor = cursors[0] as Cursor
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= cursors.length) break
      const right = child + 1
      if (right < cursors.length && (cursors[right] as Cursor).isBefore(cursors[child] as Cursor))
        child = right
      if (!(cursors[child] as Cursor).isBefore(cursor)) break
      cursors[at] = cursors[child] as Cursor
      at = child
    }
    cursors[at] = cursor
  }

  return {
    size: () => cursors.length,
    top: () => cursors[0],
    push(cursor) {
      let at = cursors.length
      cursors.push(cursor)
      while (at > 0) {
        const parent = (at - 1) >> 1
        if (!cursor.isBefore(cursors[parent] as Cursor)) break
        cursors[at] = cursors[parent] as Cursor
        at = parent
      }
      cursors[at] = cursor
    },
    pop() {
      const last = cursors.pop()
      if (last === undefined || cursors.length === 0) return
      cursors[0] = last
      sinkTop()
    },
    sinkTop,
  }
}
