import { makeMonotonic } from './file-clock.ts'

/**
 * Positions of all entries, merged by entry time: 28 bytes per entry and 4 more if files overlap, so that millions fit
 * into memory.
 */
export interface Timeline {
  /** Records one entry, file by file, each in its own order. `at` and `length` are bytes; `line` counts from 1. */
  add(timeMs: number, file: number, at: number, length: number, line: number): void
  /** Merges the files by time. Each file keeps its own order, whatever its timestamps say. Those after `nowMs` are wrong. */
  merge(nowMs: number): void
  count(): number
  /** The n-th entry; after `merge` in merged order. */
  get(n: number): Spot
}

interface Spot {
  /** After `merge` the time at which the entry counts, which never decreases. */
  readonly timeMs: number
  readonly file: number
  readonly at: number
  readonly length: number
  readonly line: number
}

const FIRST_CAPACITY = 1 << 14

export function createTimeline(): Timeline {
  let times = new Float64Array(FIRST_CAPACITY)
  let positions = new Float64Array(FIRST_CAPACITY)
  let files = new Uint32Array(FIRST_CAPACITY)
  let lengths = new Uint32Array(FIRST_CAPACITY)
  let lines = new Uint32Array(FIRST_CAPACITY)
  let order: Uint32Array | undefined
  let count = 0

  function grow(): void {
    times = copyOf(times, new Float64Array(count * 2))
    positions = copyOf(positions, new Float64Array(count * 2))
    files = copyOf(files, new Uint32Array(count * 2))
    lengths = copyOf(lengths, new Uint32Array(count * 2))
    lines = copyOf(lines, new Uint32Array(count * 2))
  }

  function isInOrder(): boolean {
    for (let i = 1; i < count; i++) if ((times[i] as number) < (times[i - 1] as number)) return false
    return true
  }

  return {
    add(timeMs, file, at, length, line) {
      if (count === times.length) grow()
      times[count] = timeMs
      positions[count] = at
      files[count] = file
      lengths[count] = length
      lines[count] = line
      count++
    },
    merge(nowMs) {
      for (let from = 0, to = 0; from < count; from = to) {
        while (to < count && files[to] === files[from]) to++
        makeMonotonic(times.subarray(from, to), nowMs)
      }
      if (isInOrder()) return
      // No time of a file is before an earlier one of it, so equal times in the order added keep the file's order.
      order = Uint32Array.from({ length: count }, (_, i) => i)
      order.sort((a, b) => (times[a] as number) - (times[b] as number) || a - b)
    },
    count: () => count,
    get(n) {
      const i = order === undefined ? n : (order[n] as number)
      return {
        timeMs: times[i] as number,
        file: files[i] as number,
        at: positions[i] as number,
        length: lengths[i] as number,
        line: lines[i] as number,
      }
    },
  }
}

function copyOf<T extends Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
