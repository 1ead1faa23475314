import { MIN_FREEDOM, type BatchSums } from './batch-sums.ts'
import type { BatchCount, Batches } from './batches.ts'
import type { Database } from './database.ts'
import {
  adjusted,
  compareMeans,
  compareShares,
  MIN_GROUP,
  type Count,
  type Groups,
  type RankedSample,
  type Unadjusted,
} from './comparison.ts'
import type { Comparison } from './schema.ts'
import { literal } from './sql.ts'
import { benjaminiHochberg } from './statistics.ts'

/** Two groups that are compared, named as in the column `grp`. */
interface Pair extends Groups {
  /** What is compared, for the list of comparisons without enough data. */
  readonly what: string
}

/** One measure of all groups: a value for each build. */
export interface Measure {
  /** Compares the two groups. Returns null if there is not enough data, and adds the reason to `lacking`. */
  compare(pair: Pair): Promise<Comparison | null>
}

/**
 * All comparisons of one report, so that the correction knows how many there are. A measure is a query with the columns
 * `started_ms` (of the build), `grp` and `value`, with at most one row for each build.
 */
export interface Comparisons {
  /** `value` is 1 or 0. */
  shares(values: string): Promise<Measure>
  /**
   * For each kind the share of a group's builds that are of it. `kinds` is a query with the columns `started_ms`, `grp` and
   * `kind`, with at most one row for each build.
   */
  kinds(kinds: string): Promise<(kind: string) => Measure>
  means(values: string): Promise<Measure>
  /** Sets `q` of every comparison. Call it after the last comparison. Returns their number. */
  correct(): number
}

export function createComparisons(database: Database, batches: Batches, lacking: string[]): Comparisons {
  const made: { -readonly [key in keyof Comparison]: Comparison[key] }[] = []
  const isEnough = ({ what }: Pair, n1: number, n2: number): boolean => {
    if (Math.min(n1, n2) >= MIN_GROUP) return true
    lacking.push(tooFew(what, n1, n2))
    return false
  }
  /** Corrects a comparison for batches and keeps it. `tested` are the sums for p, `shown` those for the interval. */
  const note = (
    pair: Pair,
    comparison: Unadjusted,
    tested: readonly BatchSums[] | undefined,
    shown: readonly BatchSums[] | undefined,
  ): Comparison | null => {
    if (tested === undefined || shown === undefined) {
      lacking.push(tooFewBatches(pair.what))
      return null
    }
    const corrected = adjusted(comparison, pair, tested, shown)
    made.push(corrected)
    return corrected
  }
  const shareOf = (countOf: (grp: string) => Count, sums: readonly BatchSums[] | undefined): Measure => ({
    compare(pair) {
      const [first, second] = [countOf(pair.first), countOf(pair.second)]
      if (!isEnough(pair, first.n, second.n)) return Promise.resolve(null)
      const comparison = compareShares(first, second)
      return Promise.resolve(comparison && note(pair, comparison, sums, sums))
    },
  })
  return {
    async shares(values) {
      const counts = await countByGroup(database, values)
      return shareOf((grp) => counts.get(grp) ?? { n: 0, passed: 0 }, await batches.sum(values, MIN_GROUP))
    },
    async kinds(kinds) {
      const all = await database.all<KindCount>(
        `SELECT grp, kind, count(*)::INTEGER AS n FROM (${kinds}) GROUP BY ALL`,
      )
      const byGroup = Map.groupBy(all, ({ grp }) => grp)
      const inBatches = await batches.count(kinds, MIN_GROUP)
      return (kind) =>
        shareOf((grp) => countKind(byGroup.get(grp) ?? [], kind), inBatches && sumsOf(inBatches, kind))
    },
    async means(values) {
      const ranks = await batches.sum(rankedOf(values), MIN_GROUP)
      const sums = await batches.sum(values, MIN_GROUP)
      return {
        async compare(pair) {
          const [first, second] = await samples(database, values, pair)
          if (!isEnough(pair, first?.n ?? 0, second?.n ?? 0)) return null
          const comparison = first && second ? compareMeans(first, second) : null
          return comparison && note(pair, comparison, ranks, sums)
        },
      }
    },
    correct() {
      const q = benjaminiHochberg(made.map(({ p }) => p))
      for (const [i, comparison] of made.entries()) comparison.q = q[i] ?? 1
      return made.length
    },
  }
}

/** The values replaced by their ranks; equal ones have the lowest of theirs. Only distinct values are sorted. */
const rankedOf = (values: string): string => `
  SELECT started_ms, grp, place AS value FROM (${values}) JOIN (
    SELECT value, (1 + sum(n) OVER (ORDER BY value) - n)::BIGINT AS place
    FROM (SELECT value, count(*) AS n FROM (${values}) WHERE value IS NOT NULL GROUP BY value)
  ) USING (value)`

type KindCount = Omit<BatchCount, 'batch'>

const countKind = (counts: readonly KindCount[], kind: string): Count => ({
  n: counts.reduce((sum, { n }) => sum + n, 0),
  passed: counts.reduce((sum, count) => sum + (count.kind === kind ? count.n : 0), 0),
})

/** As if each build had the value 1 if it is of this kind, and 0 otherwise. */
function sumsOf(counts: readonly BatchCount[], kind: string): BatchSums[] {
  const cells = Map.groupBy(counts, ({ grp, batch }) => `${batch}\0${grp}`)
  return [...cells.values()].map((cell) => {
    const { n, passed } = countKind(cell, kind)
    const { grp, batch } = cell[0] as BatchCount
    return { grp, batch, n, sum: passed, squares: passed }
  })
}

async function countByGroup(database: Database, values: string): Promise<Map<string, Count>> {
  const rows = await database.all<Count & { grp: string }>(`
    SELECT grp, count(value)::INTEGER AS n, coalesce(sum(value), 0)::INTEGER AS passed FROM (${values}) GROUP BY grp`)
  return new Map(rows.map((row) => [row.grp, row]))
}

/** Both samples, with ranks among the values of both, ties averaged. */
async function samples(
  database: Database,
  values: string,
  { first, second }: Pair,
): Promise<[RankedSample | undefined, RankedSample | undefined]> {
  // Only distinct values are sorted, and only once.
  const rows = await database.all<RankedSample & { side: number }>(`
    WITH pair AS (
      SELECT CASE grp WHEN ${literal(first)} THEN 1 ELSE 2 END AS side, value FROM (${values})
      WHERE value IS NOT NULL AND grp IN (${literal(first)}, ${literal(second)})
    ), counted AS (
      SELECT value, count(*) AS tied, count(*) FILTER (side = 1) AS of_first FROM pair GROUP BY value
    ), placed AS (
      SELECT tied, of_first, sum(tied) OVER (ORDER BY value) - (tied - 1) / 2 AS place FROM counted
    ), ranks AS (
      SELECT 1 AS side, sum(of_first * place)::DOUBLE AS rank_sum, sum(of_first * (tied::DOUBLE * tied - 1)) AS ties FROM placed
      UNION ALL
      SELECT 2, sum((tied - of_first) * place)::DOUBLE, sum((tied - of_first) * (tied::DOUBLE * tied - 1)) FROM placed
    )
    SELECT side, count(*)::INTEGER AS n, avg(value) AS mean, coalesce(var_samp(value), 0) AS variance,
      any_value(rank_sum) AS rank_sum, any_value(ties) AS ties
    FROM pair JOIN ranks USING (side) GROUP BY side`)
  return [rows.find(({ side }) => side === 1), rows.find(({ side }) => side === 2)]
}

export const tooFew = (what: string, n1: number, n2: number): string =>
  `${what}: ${n1} and ${n2}; ${MIN_GROUP} each are needed.`

const tooFewBatches = (what: string): string =>
  `${what}: the builds are from too few days to separate a difference from the variation between days; ` +
  `at least ${MIN_FREEDOM} days more than groups are needed.`
