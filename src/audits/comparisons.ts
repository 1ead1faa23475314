import type { Database } from './database.ts'
import type { Comparison } from './schema.ts'
import {
  benjaminiHochberg,
  fisherExact,
  mannWhitney,
  meanDifference,
  proportionDifference,
} from './statistics.ts'

/** Fewer on either side say nothing. */
export const MIN_GROUP = 20
/** The share of findings that may be false; on pure noise, the chance that a report shows any. */
export const FALSE_DISCOVERY_RATE = 0.05

/** All comparisons of one report, so that the correction knows how many there were. */
export interface Comparisons {
  rates(k1: number, n1: number, k2: number, n2: number): Comparison | null
  /** `values` is a query with the columns `side` (1 or 2) and `value`. */
  means(values: string): Promise<Comparison | null>
  /** Sets every `q`; nothing is to be compared afterwards. */
  correct(): number
}

/** Null comes out where a side has fewer than `MIN_GROUP`. */
export function createComparisons(database: Database): Comparisons {
  const made: { -readonly [key in keyof Comparison]: Comparison[key] }[] = []
  const note = (comparison: Comparison): Comparison => {
    made.push(comparison)
    return comparison
  }
  return {
    rates(k1, n1, k2, n2) {
      if (Math.min(n1, n2) < MIN_GROUP) return null
      const difference = proportionDifference(k1, n1, k2, n2)
      if (difference === null) return null
      const p = fisherExact(k1, n1, k2, n2)
      return note({
        n: [n1, n2],
        first: k1 / n1,
        second: k2 / n2,
        difference,
        test: "Fisher's exact test",
        p,
        q: 1,
      })
    },
    async means(values) {
      const [a, b] = await samples(database, values)
      if (a === undefined || b === undefined || Math.min(a.n, b.n) < MIN_GROUP) return null
      const difference = meanDifference(a, b)
      if (difference === null) return null
      const p = mannWhitney(a.rank_sum, a.n, b.n, a.ties + b.ties)
      return note({
        n: [a.n, b.n],
        first: a.mean,
        second: b.mean,
        difference,
        test: 'Mann-Whitney U test',
        p,
        q: 1,
      })
    },
    correct() {
      const q = benjaminiHochberg(made.map(({ p }) => p))
      for (const [i, comparison] of made.entries()) comparison.q = q[i] ?? 1
      return made.length
    },
  }
}

interface RankedSample {
  readonly side: number
  readonly n: number
  readonly mean: number
  readonly variance: number
  readonly rank_sum: number
  readonly ties: number
}

/** Ranks are those among both sides, ties averaged. */
async function samples(database: Database, values: string): Promise<(RankedSample | undefined)[]> {
  const rows = await database.all<RankedSample>(`
    WITH ranked AS (
      SELECT side, value, count(*) OVER (PARTITION BY value) AS tied,
        rank() OVER (ORDER BY value) + (count(*) OVER (PARTITION BY value) - 1) / 2 AS place
      FROM (${values}) WHERE value IS NOT NULL
    )
    SELECT side, count(*)::INTEGER AS n, avg(value) AS mean, coalesce(var_samp(value), 0) AS variance,
      sum(place)::DOUBLE AS rank_sum, sum(tied::DOUBLE * tied - 1) AS ties
    FROM ranked GROUP BY side`)
  return [rows.find(({ side }) => side === 1), rows.find(({ side }) => side === 2)]
}

/** Whether a difference stands: corrected for all comparisons, and with an interval that leaves out zero. */
export function isFound(comparison: Comparison | null): comparison is Comparison {
  if (comparison === null || comparison.q > FALSE_DISCOVERY_RATE) return false
  return comparison.difference.low > 0 || comparison.difference.high < 0
}
