/** Positions of all entries, in order of entry time: 28 bytes per entry, so that millions fit into memory. */
export interface Timeline {
  /** Records one entry. `at` and `length` are bytes; `line` counts from 1. */
  add(timeMs: number, file: number, at: number, length: number, line: number): void
  /** Sorts by time; entries with equal times keep the order in which they were added. */
  sort(): void
  count(): number
  /** The n-th entry; in order of time after `sort`. */
  get(n: number): Spot
}

interface Spot {
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
  let sorted = true

  function grow(): void {
    times = copyOf(times, new Float64Array(count * 2))
    positions = copyOf(positions, new Float64Array(count * 2))
    files = copyOf(files, new Uint32Array(count * 2))
    lengths = copyOf(lengths, new Uint32Array(count * 2))
    lines = copyOf(lines, new Uint32Array(count * 2))
  }

  return {
    add(timeMs, file, at, length, line) {
      if (count === times.length) grow()
      if (count > 0 && timeMs < (times[count - 1] as number)) sorted = false
      times[count] = timeMs
      positions[count] = at
      files[count] = file
      lengths[count] = length
      lines[count] = line
      count++
    },
    sort() {
      if (sorted) return
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
