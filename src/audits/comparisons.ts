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
  rates(what: string, k1: number, n1: number, k2: number, n2: number): Comparison | null
  /** `values` is a query with the columns `side` (1 or 2) and `value`. */
  means(what: string, values: string): Promise<Comparison | null>
  /** Sets every `q`; nothing is to be compared afterwards. */
  correct(): number
}

/** Null comes out where a side has fewer than `MIN_GROUP`; `lacking` is then told what of. */
export function createComparisons(database: Database, lacking: string[]): Comparisons {
  const made: { -readonly [key in keyof Comparison]: Comparison[key] }[] = []
  const note = (comparison: Comparison): Comparison => {
    made.push(comparison)
    return comparison
  }
  const enough = (what: string, n1: number, n2: number): boolean => {
    if (Math.min(n1, n2) >= MIN_GROUP) return true
    lacking.push(tooFew(what, n1, n2))
    return false
  }
  return {
    rates(what, k1, n1, k2, n2) {
      if (!enough(what, n1, n2)) return null
      const difference = proportionDifference(k1, n1, k2, n2)
      if (difference === null) return null
      const p = fisherExact(k1, n1, k2, n2)
      return note({
        n: [n1, n2],
        first: k1 / n1,
        second: k2 / n2,
        difference,
        agrees: true,
        test: "Fisher's exact test",
        p,
        q: 1,
      })
    },
    async means(what, values) {
      const [a, b] = await samples(database, values)
      if (!enough(what, a?.n ?? 0, b?.n ?? 0) || a === undefined || b === undefined) return null
      const difference = meanDifference(a, b)
      if (difference === null) return null
      const p = mannWhitney(a.rank_sum, a.n, b.n, a.ties + b.ties)
      return note({
        n: [a.n, b.n],
        first: a.mean,
        second: b.mean,
        difference,
        agrees: Math.sign(difference.value) === -Math.sign(a.rank_sum / a.n - (a.n + b.n + 1) / 2),
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

export const tooFew = (what: string, n1: number, n2: number): string =>
  `${what}: ${n1} and ${n2}; ${MIN_GROUP} each are needed.`

/**
 * Whether a difference stands: corrected for all comparisons, and with an interval that leaves out zero. Where the
 * test speaks for the other direction, as a few outliers outweigh all others in the mean, nothing stands.
 */
export function isFound(comparison: Comparison | null): comparison is Comparison {
  if (comparison === null || comparison.q > FALSE_DISCOVERY_RATE || !comparison.agrees) return false
  return comparison.difference.low > 0 || comparison.difference.high < 0
}
