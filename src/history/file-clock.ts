/**
 * Replaces the timestamps of one file, in place, by times that never decrease, so that files can be merged by time while
 * each keeps its own order. The longest series of timestamps that never decreases stays, without those after `nowMs`.
 * Every other one becomes that of the nearest entry before it in that series, or of the first entry of the series if
 * none precedes it. A single wrong timestamp, early or late, therefore moves no other entry. If all timestamps are after
 * `nowMs`, all become the earliest one.
 *
 * The series is found by patience sorting in O(n log n) (Fredman, "On computing the length of longest increasing
 * subsequences", 1975). Timestamps that never decrease cost one comparison each.
 */
export function makeMonotonic(times: Float64Array, nowMs: number): void {
  if (isMonotonic(times) && !((times.at(-1) as number) > nowMs)) return
  const kept = longestSeries(times, nowMs)
  const [first] = kept
  let time = first === undefined ? times.reduce((a, b) => Math.min(a, b)) : (times[first] as number)
  let next = 0
  for (let i = 0; i < times.length; i++) {
    if (kept[next] === i) {
      time = times[i] as number
      next++
    }
    times[i] = time
  }
}

function isMonotonic(times: Float64Array): boolean {
  for (let i = 1; i < times.length; i++) if ((times[i] as number) < (times[i - 1] as number)) return false
  return true
}

/** Indices of the longest series that never decreases, up to `nowMs`. */
function longestSeries(times: Float64Array, nowMs: number): Uint32Array {
  /** `ends[n]`: where a series of n + 1 entries ends, with the earliest time that such a series can end with. */
  const ends = new Uint32Array(times.length)
  /** The entry before each one in the longest series that ends with it. */
  const before = new Uint32Array(times.length)
  let length = 0
  /** Of the longest series the one that ends latest: a clock that starts at 1970 is the more common fault. */
  let last = 0
  for (let i = 0; i < times.length; i++) {
    if ((times[i] as number) > nowMs) continue
    const n = endsUpTo(times, ends, length, times[i] as number)
    if (n > 0) before[i] = ends[n - 1] as number
    ends[n] = i
    if (n < length) continue
    length++
    last = i
  }
  const series = new Uint32Array(length)
  let at = last
  for (let n = length - 1; n >= 0; n--) {
    series[n] = at
    at = before[at] as number
  }
  return series
}

/** How many of the ends are not later than this time; the ends are in order of time. */
function endsUpTo(times: Float64Array, ends: Uint32Array, length: number, time: number): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((times[ends[middle] as number] as number) <= time) low = middle + 1
    else high = middle
  }
  return low
}
