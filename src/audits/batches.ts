import { freedomOf, HOUR_MS, LENGTHS_HOURS, MIN_FREEDOM, type BatchSums } from './batch-sums.ts'
import type { Database } from './database.ts'

/**
 * Builds in batches by their start. Builds of the same day share their luck, such as the state of the model and of the
 * package. All projects share a batch, because many traces do not name their project. A day starts in the longest pause of
 * the daily cycle, so that no nightly run is divided. Shorter batches are for traces of a few days, and only if builds start
 * all the time: with longer pauses, the runs between the pauses would be divided into pieces that share their luck.
 */
export interface Batches {
  /**
   * Sums the values by group and batch. Uses the longest batches of which there are enough; returns `undefined` if there
   * are too few of every length. `values` is a query with the columns `started_ms`, `grp` and `value`. Groups with fewer
   * than `minGroup` values are left out.
   */
  sum(values: string, minGroup: number): Promise<BatchSums[] | undefined>
  /** Counts by group, batch and kind, in the same way. `kinds` is a query with the columns `started_ms`, `grp` and `kind`. */
  count(kinds: string, minGroup: number): Promise<BatchCount[] | undefined>
}

/** How many builds of one kind a group has within one batch. */
export interface BatchCount {
  readonly grp: string
  readonly batch: number
  readonly kind: string | null
  readonly n: number
}

/** Needs the table `build_sums`. How batches begin is found out when they are first used. */
export function createBatches(database: Database): Batches {
  const offsets = new Map<number, Promise<number | undefined>>()
  const offsetOf = (hours: number): Promise<number | undefined> => {
    const found = offsets.get(hours) ?? findOffset(database, hours)
    offsets.set(hours, found)
    return found
  }
  /** By the longest batches of which there are enough. `queryOf` gets the batch of a build as an expression. */
  async function inBatches<Row extends Pick<BatchSums, 'grp' | 'batch'>>(
    queryOf: (batch: string) => string,
  ): Promise<Row[] | undefined> {
    for (const hours of LENGTHS_HOURS) {
      const offsetMs = await offsetOf(hours)
      if (offsetMs === undefined) continue
      const rows = await database.all<Row>(
        queryOf(`floor((started_ms - ${offsetMs}) / ${hours * HOUR_MS})::INTEGER`),
      )
      if (freedomOf(rows) >= MIN_FREEDOM) return rows
    }
    return undefined
  }
  // Small groups are left out last: a window over all values would sort and keep them.
  return {
    sum: (values, minGroup) =>
      inBatches(
        (batch) => `
          SELECT grp, ${batch} AS batch, count(*)::INTEGER AS n, sum(value)::DOUBLE AS sum,
            sum(value::DOUBLE * value) AS squares
          FROM (${values}) WHERE value IS NOT NULL
          GROUP BY grp, batch QUALIFY sum(count(*)) OVER (PARTITION BY grp) >= ${minGroup}`,
      ),
    count: (kinds, minGroup) =>
      inBatches(
        (batch) => `
          SELECT grp, ${batch} AS batch, kind, count(*)::INTEGER AS n FROM (${kinds})
          GROUP BY grp, batch, kind QUALIFY sum(count(*)) OVER (PARTITION BY grp) >= ${minGroup}`,
      ),
  }
}

/** When batches of this length begin, in milliseconds after a multiple of it; `undefined` if they may not be used. */
async function findOffset(database: Database, hours: number): Promise<number | undefined> {
  const cycleMs = hours * HOUR_MS
  if (hours < 24 && (await longestPause(database)) > cycleMs) return undefined
  return pauseWithin(database, cycleMs)
}

async function longestPause(database: Database): Promise<number> {
  const [longest] = await database.all<{ pause: number | null }>(`
    SELECT max(pause) AS pause FROM (SELECT lead(started_ms) OVER (ORDER BY started_ms) - started_ms AS pause FROM build_sums)`)
  return longest?.pause ?? 0
}

/** The middle of the longest pause within a cycle of this length, over all cycles together, in milliseconds. */
async function pauseWithin(database: Database, cycleMs: number): Promise<number> {
  const [pause] = await database.all<{ middle: number }>(`
    WITH moments AS (SELECT started_ms % ${cycleMs} AS moment FROM build_sums)
    SELECT moment + pause / 2 AS middle FROM (
      SELECT moment,
        coalesce(lead(moment) OVER (ORDER BY moment), (SELECT min(moment) FROM moments) + ${cycleMs}) - moment AS pause
      FROM moments
    ) ORDER BY pause DESC, moment LIMIT 1`)
  return pause?.middle ?? 0
}
