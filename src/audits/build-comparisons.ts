import type { Outcome } from '../attribute/build.ts'
import { freedomOf, HOUR_MS, LENGTHS_HOURS, MIN_FREEDOM, type BatchSums } from './batch-sums.ts'
import {
  adjusted,
  compareMeans,
  compareShares,
  MIN_GROUP,
  type Groups,
  type RankedSample,
} from './comparison.ts'
import type { Comparison } from './schema.ts'
import { benjaminiHochberg } from './statistics.ts'

/**
 * The report's comparisons without a database, for some thousand builds in memory: the same batches, tests and
 * corrections. A test compares the results with those of the report over the same files.
 */

/** As much of a build as is compared. */
export interface ComparedBuild {
  /** `undefined` while it is open. */
  readonly outcome: Outcome | undefined
  /** When its first entry was written, in milliseconds since 1970. */
  readonly firstEntryMs: number
}

/** One value of a build, in its group. */
interface Value {
  readonly grp: string
  readonly value: number
  readonly startMs: number
}

type Writable = { -readonly [key in keyof Comparison]: Comparison[key] }

export interface BuildComparisons<B extends ComparedBuild> {
  /** A function that compares two groups by a share; `valueOf` gives 1, 0, or `undefined` for a build that does not count. */
  shares(groupOf: (build: B) => string | undefined, valueOf: (build: B) => number | undefined): Compare
  /** The same by a mean. */
  means(groupOf: (build: B) => string | undefined, valueOf: (build: B) => number | undefined): Compare
  /** Sets `q` of every comparison. Call it after the last one. */
  correct(): void
}

/** `null` where there is not enough data. */
type Compare = (groups: Groups) => Comparison | null

export function compareBuilds<B extends ComparedBuild>(builds: readonly B[]): BuildComparisons<B> {
  const made: Writable[] = []
  const lengths = batchLengths(builds.map(({ firstEntryMs }) => firstEntryMs))

  const valuesOf = (
    groupOf: (build: B) => string | undefined,
    valueOf: (build: B) => number | undefined,
  ): Value[] =>
    builds.flatMap((build) => {
      const [grp, value] = [groupOf(build), valueOf(build)]
      if (grp === undefined || value === undefined || build.outcome === undefined) return []
      return [{ grp, value, startMs: build.firstEntryMs }]
    })

  function note(comparison: Writable | undefined): Comparison | null {
    if (comparison === undefined) return null
    made.push(comparison)
    return comparison
  }

  return {
    shares(groupOf, valueOf) {
      const values = valuesOf(groupOf, valueOf)
      const sums = sumByBatch(values, lengths)
      return (groups) => {
        const [first, second] = sidesOf(values, groups)
        const comparison =
          sums && isEnough(first, second) ? compareShares(countOf(first), countOf(second)) : null
        return note((comparison && sums && adjusted(comparison, groups, sums, sums)) || undefined)
      }
    },
    means(groupOf, valueOf) {
      const values = valuesOf(groupOf, valueOf)
      const sums = sumByBatch(values, lengths)
      const ranks = sumByBatch(ranked(values), lengths)
      return (groups) => {
        const [first, second] = sidesOf(values, groups)
        const comparison =
          sums && isEnough(first, second) ? compareMeans(...rankedSamples(first, second)) : null
        return note((comparison && sums && ranks && adjusted(comparison, groups, ranks, sums)) || undefined)
      }
    },
    correct() {
      const q = benjaminiHochberg(made.map(({ p }) => p))
      for (const [i, comparison] of made.entries()) comparison.q = q[i] ?? 1
    },
  }
}

const isEnough = (first: readonly number[], second: readonly number[]): boolean =>
  Math.min(first.length, second.length) >= MIN_GROUP

const sidesOf = (values: readonly Value[], { first, second }: Groups): [number[], number[]] => {
  const side = (name: string): number[] => values.flatMap(({ grp, value }) => (grp === name ? [value] : []))
  return [side(first), side(second)]
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0)

const countOf = (values: readonly number[]) => ({ n: values.length, passed: sum(values) })

/** How long batches are, and where they begin, in milliseconds; the longest first. `createBatches` says why. */
interface BatchLength {
  readonly lengthMs: number
  readonly offsetMs: number
}

function batchLengths(startsMs: readonly number[]): BatchLength[] {
  const starts = startsMs.toSorted((a, b) => a - b)
  const longest = Math.max(0, ...starts.map((start, i) => (starts[i + 1] ?? start) - start))
  return LENGTHS_HOURS.filter((hours) => hours === 24 || longest <= hours * HOUR_MS).map((hours) => ({
    lengthMs: hours * HOUR_MS,
    offsetMs: pauseWithin(starts, hours * HOUR_MS),
  }))
}

/** The middle of the longest pause within a cycle of this length, over all cycles together. */
function pauseWithin(startsMs: readonly number[], cycleMs: number): number {
  const moments = startsMs.map((start) => start % cycleMs).sort((a, b) => a - b)
  let longest = -1
  let middle = 0
  for (const [i, moment] of moments.entries()) {
    const pause = (moments[i + 1] ?? (moments[0] as number) + cycleMs) - moment
    if (pause <= longest) continue
    longest = pause
    middle = moment + pause / 2
  }
  return middle
}

/** By the longest batches of which there are enough; `undefined` if there are too few of every length. */
function sumByBatch(values: readonly Value[], lengths: readonly BatchLength[]): BatchSums[] | undefined {
  const groups = Map.groupBy(values, ({ grp }) => grp)
  const used = values.filter(({ grp }) => (groups.get(grp)?.length ?? 0) >= MIN_GROUP)
  for (const { lengthMs, offsetMs } of lengths) {
    const sums = new Map<string, { grp: string; batch: number; n: number; sum: number; squares: number }>()
    for (const { grp, value, startMs } of used) {
      const batch = Math.floor((startMs - offsetMs) / lengthMs)
      const key = `${batch}\0${grp}`
      const row = sums.get(key) ?? { grp, batch, n: 0, sum: 0, squares: 0 }
      row.n++
      row.sum += value
      row.squares += value * value
      sums.set(key, row)
    }
    const rows = [...sums.values()]
    if (freedomOf(rows) >= MIN_FREEDOM) return rows
  }
  return undefined
}

/** The values replaced by their ranks among all; equal ones have the lowest of theirs. */
function ranked(values: readonly Value[]): Value[] {
  const order = values.map(({ value }) => value).sort((a, b) => a - b)
  const rankOf = new Map<number, number>()
  for (const [i, value] of order.entries()) if (!rankOf.has(value)) rankOf.set(value, i + 1)
  return values.map((each) => ({ ...each, value: rankOf.get(each.value) ?? 0 }))
}

/** Both samples with their ranks among both, ties averaged. */
function rankedSamples(first: readonly number[], second: readonly number[]): [RankedSample, RankedSample] {
  const order = [...first, ...second].sort((a, b) => a - b)
  const [from, tied] = [new Map<number, number>(), new Map<number, number>()]
  for (const [i, value] of order.entries()) {
    if (!from.has(value)) from.set(value, i + 1)
    tied.set(value, (tied.get(value) ?? 0) + 1)
  }
  const sample = (values: readonly number[]): RankedSample => {
    const mean = sum(values) / values.length
    const tiesOf = (value: number): number => tied.get(value) ?? 1
    return {
      n: values.length,
      mean,
      variance: values.length < 2 ? 0 : sum(values.map((value) => (value - mean) ** 2)) / (values.length - 1),
      rank_sum: sum(values.map((value) => (from.get(value) ?? 0) + (tiesOf(value) - 1) / 2)),
      ties: sum(values.map((value) => tiesOf(value) ** 2 - 1)),
    }
  }
  return [sample(first), sample(second)]
}
