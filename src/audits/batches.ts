import { freedomOf, HOUR_MS, LENGTHS_HOURS, MIN_FREEDOM, type BatchSums } from './batch-sums.ts'
import type { Database } from './database.ts'

export interface Batches {
  /** Columns of the table `batches` that may be used, longest batches first. */
  readonly columns: readonly string[]
}

/**
 * Assigns every build to batches by its start: the table `batches` has one row for each build. Builds of the same day
 * share their luck, such as the state of the model and of the package. All projects share a batch, because many
 * traces do not name their project. A day starts in the longest pause of the daily cycle, so that no nightly run is divided.
 * Shorter batches are for traces of a few days, and only if builds start all the time: with longer pauses, the runs
 * between the pauses would be divided into pieces that share their luck.
 */
export async function createBatches(database: Database): Promise<Batches> {
  await database.run(`
    CREATE TABLE run_starts AS
      SELECT run_id, min(ts_ms) AS started_ms FROM all_entries GROUP BY run_id`)
  const columns = await Promise.all(
    LENGTHS_HOURS.map(async (hours) => {
      const offsetMs = await pauseWithin(database, hours * HOUR_MS)
      return `floor((started_ms - ${offsetMs}) / ${hours * HOUR_MS})::INTEGER AS ${columnOf(hours)}`
    }),
  )
  await database.run(`CREATE TABLE batches AS SELECT run_id, ${columns.join(', ')} FROM run_starts`)
  const [longest] = await database.all<{ pause: number | null }>(`
    SELECT max(pause) AS pause FROM (SELECT lead(started_ms) OVER (ORDER BY started_ms) - started_ms AS pause FROM run_starts)`)
  const pauseMs = longest?.pause ?? 0
  return {
    columns: LENGTHS_HOURS.filter((hours) => hours === 24 || pauseMs <= hours * HOUR_MS).map(columnOf),
  }
}

const columnOf = (hours: number): string => `hours_${hours}`

/** The middle of the longest pause within a cycle of this length, over all cycles together, in milliseconds. */
async function pauseWithin(database: Database, cycleMs: number): Promise<number> {
  const [pause] = await database.all<{ middle: number }>(`
    SELECT moment + pause / 2 AS middle FROM (
      SELECT moment, coalesce(lead(moment) OVER (ORDER BY moment), min(moment) OVER () + ${cycleMs}) - moment AS pause
      FROM (SELECT started_ms % ${cycleMs} AS moment FROM run_starts)
    ) ORDER BY pause DESC, moment LIMIT 1`)
  return pause?.middle ?? 0
}

/**
 * Sums the values by group and batch. Uses the longest batches of which there are enough; returns `undefined` if there
 * are too few of every length. `values` is a query with the columns `run_id`, `grp` and `value`. Groups with fewer than
 * `minGroup` values are left out.
 */
export async function sumByBatch(
  database: Database,
  { columns }: Batches,
  values: string,
  minGroup: number,
): Promise<BatchSums[] | undefined> {
  for (const column of columns) {
    // Small groups are left out last: a window over all values would sort and keep them.
    const sums = await database.all<BatchSums>(`
      SELECT grp, ${column} AS batch, count(*)::INTEGER AS n, sum(value)::DOUBLE AS sum,
        sum(value::DOUBLE * value) AS squares
      FROM (${values}) JOIN batches USING (run_id) WHERE value IS NOT NULL
      GROUP BY grp, ${column} QUALIFY sum(count(*)) OVER (PARTITION BY grp) >= ${minGroup}`)
    if (freedomOf(sums) >= MIN_FREEDOM) return sums
  }
  return undefined
}
