import type { Database } from './database.ts'

/**
 * What is summed up of all entries, whatever the period, so that the audits read them few times: there are several for each
 * build, and they may be in files. All can be kept and continued (`src/rows/kept-sums.ts`).
 *
 * | table | one row for |
 * | --- | --- |
 * | `build_sums` | each build that has an entry; one that has closed has an outcome |
 * | `all_fixes` | each fix |
 * | `all_entry_sums` | the entries of one day that are alike in step, error type, … |
 */
export const SUM_TABLES = ['build_sums', 'all_fixes', 'all_entry_sums'] as const

/** A validation is any failure, and the pass of a verification: a pass of another step is that step's own outcome. */
export const IS_VALIDATION = `(status = 'fail' OR (status = 'pass' AND phase = 'verify'))`

const USES_IMPLEMENT_PROMPT = `phase = 'implement' AND instruction_version IS NOT NULL`

export interface SumsOptions {
  /** The table of closed builds. */
  readonly closed: string
  /** Into how many parts the builds are divided: what is grouped at once has to fit into memory. */
  readonly parts: number
  /** Begins the names of the tables. */
  readonly prefix?: string
  /** More columns of `build_sums`. */
  readonly more?: string
}

/** Creates the tables from `all_entries` and the closed builds. */
export async function createSums(
  database: Database,
  { closed, parts, prefix = '', more }: SumsOptions,
): Promise<void> {
  for (let part = 0; part < parts; part++) {
    const of = (table: string): string =>
      parts === 1 ? table : `(SELECT * FROM ${table} WHERE hash(run_id) % ${parts} = ${part})`
    const add = (table: string): string =>
      part === 0 ? `CREATE TABLE ${prefix}${table} AS` : `INSERT INTO ${prefix}${table}`
    await database.run(`${add('build_sums')} ${buildSums(of('all_entries'), of(closed), more)}`)
    await database.run(
      `${add('all_fixes')} ${fixes(of('all_entries'), of(`(SELECT rowid AS build, * FROM ${prefix}build_sums)`))}`,
    )
  }
  await database.run(`CREATE TABLE ${prefix}all_entry_sums AS ${entrySums('all_entries')}`)
}

/**
 * The builds of the entries, with their outcomes. Entries after the close still belong to the build. Later validations of a
 * build depend on its first one. The use of an implement prompt was assigned at random if all of its steps were.
 */
export const buildSums = (entries: string, closed: string, more = ''): string => `
  SELECT s.*, b.outcome, b.last_entry_ms, b.project,
    CASE WHEN b.outcome IS NOT NULL THEN coalesce(b.context_file_hash[:12], 'unknown') END AS context_hash
  FROM (
    SELECT run_id, min(seq) AS first_seq, min(ts_ms) AS started_ms, max(ts_ms) AS ended_ms,
      coalesce(sum(total_tokens), 0) AS tokens, bool_or(phase = 'rework') AS has_fixes,
      arg_min(context_file_hash[:12], seq) AS first_context,
      min(context_file_hash) <> max(context_file_hash) AS has_changes,
      arg_min(status, seq) FILTER (${IS_VALIDATION}) AS first_status,
      arg_min(error_type, seq) FILTER (${IS_VALIDATION}) AS first_error_type,
      min(instruction_version) FILTER (phase = 'implement') AS instruction_version,
      max(instruction_version) FILTER (phase = 'implement') AS other_version,
      sum(completion_tokens) FILTER (${USES_IMPLEMENT_PROMPT}) AS completion_tokens,
      CASE WHEN bool_and(instruction_assignment IS NOT NULL) FILTER (${USES_IMPLEMENT_PROMPT})
        AND min(instruction_assignment) FILTER (${USES_IMPLEMENT_PROMPT})
          = max(instruction_assignment) FILTER (${USES_IMPLEMENT_PROMPT})
        THEN min(instruction_assignment) FILTER (${USES_IMPLEMENT_PROMPT}) END AS instruction_assignment${more}
    FROM ${entries} GROUP BY run_id
  ) s LEFT JOIN ${closed} b USING (run_id)`

/**
 * Every fix with its verdict: its own failure, else the status of the next validation of its build, else its own pass. Most
 * builds need no fix; what is sorted is only what is needed of the others. `sums` also has a number, `build`, for each build.
 */
export const fixes = (entries: string, sums: string): string => `
  SELECT * EXCLUDE (phase) FROM (
    SELECT run_id, started_ms, ts_ms, phase, e.instruction_version, e.instruction_assignment, e.completion_tokens,
      error_log_chars,
      coalesce(CASE WHEN status = 'fail' THEN status END,
        lead(CASE WHEN ${IS_VALIDATION} THEN status END IGNORE NULLS) OVER steps,
        CASE WHEN status = 'pass' THEN status END) AS verdict,
      count(*) FILTER (phase = 'rework') OVER (steps ROWS UNBOUNDED PRECEDING) AS attempt
    FROM ${entries} e JOIN (SELECT build, run_id, started_ms FROM ${sums} WHERE has_fixes) USING (run_id)
    WHERE phase = 'rework' OR ${IS_VALIDATION}
    WINDOW steps AS (PARTITION BY build ORDER BY seq)
  ) WHERE phase = 'rework'`

/**
 * Entries that are alike. `…_n` is how many have the value, `…_m2` the sum of squared deviations from their mean, from which
 * `pooled` makes the variance of several rows: a sum of squares would lose digits.
 */
export const entrySums = (entries: string): string => `
  SELECT day, step, phase, status, error_type, context_file_hash, instruction_version, project, model, is_priced,
    count(*) AS entries, min(ts_ms) AS first_ms, max(ts_ms) AS last_ms, sum(cost_usd) AS cost_usd,
    ${moments('total_tokens')}, ${moments('completion_tokens')},
    sum(completion_tokens) FILTER (error_log_chars > 0) AS answer_tokens,
    sum(error_log_chars) FILTER (completion_tokens IS NOT NULL) AS answered_chars,
    sum(coalesce(context_tokens, 0)) FILTER (other_tokens IS NOT NULL) AS context_tokens,
    sum(coalesce(instruction_tokens, 0)) FILTER (other_tokens IS NOT NULL) AS instruction_tokens,
    sum(other_tokens) AS other_tokens, sum(prompt_tokens) FILTER (other_tokens IS NOT NULL) AS prompt_tokens
  FROM (SELECT *, ${dayOf('ts_ms')} AS day, cost_usd IS NOT NULL AS is_priced FROM ${entries}) GROUP BY ALL`

const moments = (column: string): string =>
  `count(${column}) AS ${column}_n, sum(${column}) AS ${column}, var_pop(${column}) * count(${column}) AS ${column}_m2`

/** Days since 1970. */
export const dayOf = (column: string): string => `floor(${column} / 86400000)::INTEGER`

/**
 * A query with `n`, `mean` and `variance` of a value over rows of `entry_sums`, for each value of the column `by` (Chan,
 * Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979).
 */
export const pooled = (value: string, by: string, where: string): string => `
  SELECT ${by}, sum(${value}_n)::INTEGER AS n, any_value(mean) AS mean,
    (sum(${value}_m2) + sum(${value}_n * (${value} / ${value}_n - mean) ** 2)) / nullif(sum(${value}_n) - 1, 0) AS variance
  FROM (
    SELECT *, sum(${value}) OVER (PARTITION BY ${by}) / sum(${value}_n) OVER (PARTITION BY ${by}) AS mean
    FROM entry_sums WHERE ${where} AND ${value}_n > 0
  ) GROUP BY ${by}`
