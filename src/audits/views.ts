import type { Database } from './database.ts'

/** A validation is any failure, and the pass of a verification: a pass of another step is that step's own outcome. */
export const IS_VALIDATION = `(status = 'fail' OR (status = 'pass' AND phase = 'verify'))`

export interface Period {
  /** Inclusive start in milliseconds since the epoch; undefined: from the first entry. */
  readonly sinceMs: number | undefined
  /** Exclusive end in milliseconds since the epoch; undefined: to the last entry. */
  readonly untilMs: number | undefined
}

/** GEMINI.md counts as changed when a build starts under a revision that none of this many builds before it used. */
export const ADOPTION_WINDOW = 20

const bound = (column: string, { sinceMs, untilMs }: Period): string =>
  [
    'true',
    ...(sinceMs === undefined ? [] : [`${column} >= ${sinceMs}`]),
    ...(untilMs === undefined ? [] : [`${column} < ${untilMs}`]),
  ].join(' AND ')

/**
 * Creates the tables and views that the audits query: `entries` and `builds` of the period, and tables derived from them.
 * A build belongs to the period in which its last entry before its close lies, with all its tokens.
 */
export async function createViews(database: Database, period: Period): Promise<void> {
  const statements = [
    `CREATE VIEW entries AS SELECT *, coalesce(context_file_hash[:12], 'unknown') AS context_hash
       FROM all_entries WHERE ${bound('ts_ms', period)}`,
    // Entries after the close still belong to the build, so its tokens are those of all its entries.
    `CREATE TABLE builds AS
       SELECT b.*, coalesce(b.context_file_hash[:12], 'unknown') AS context_hash, t.tokens, t.rework_tokens
       FROM all_builds b JOIN (
         SELECT run_id, coalesce(sum(total_tokens), 0) AS tokens,
           coalesce(sum(total_tokens) FILTER (phase = 'rework'), 0) AS rework_tokens
         FROM all_entries GROUP BY run_id
       ) t USING (run_id) WHERE ${bound('b.last_entry_ms', period)}`,
    `CREATE VIEW open_builds AS SELECT run_id FROM (
         SELECT run_id, max(ts_ms) AS last_entry_ms FROM all_entries ANTI JOIN all_builds USING (run_id) GROUP BY run_id
       ) WHERE ${bound('last_entry_ms', period)}`,
    // Builds with a known GEMINI.md in order of their starts. Packages that are built side by side alternate between
    // their revisions; that does not count as a change.
    `CREATE TABLE starts AS SELECT * FROM (
         SELECT *, n > 1 AND coalesce(n - lag(n) OVER (PARTITION BY context_hash ORDER BY n) > ${ADOPTION_WINDOW}, true) AS changed
         FROM (
           SELECT run_id, min(ts_ms) AS started_ms, row_number() OVER (ORDER BY min(seq)) AS n,
             arg_min(context_file_hash[:12], seq) FILTER (context_file_hash IS NOT NULL) AS context_hash
           FROM all_entries GROUP BY run_id HAVING count(context_file_hash) > 0
         )
       ) WHERE ${bound('started_ms', period)}`,
    // Revisions of GEMINI.md, numbered by their first use in all files that were read.
    `CREATE TABLE revisions AS
       SELECT *, row_number() OVER (ORDER BY first_seen_ms, context_hash)::INTEGER AS version FROM (
         SELECT context_file_hash[:12] AS context_hash, min(context_file_hash) AS context_file_hash,
           min(ts_ms) AS first_seen_ms
         FROM all_entries WHERE context_file_hash IS NOT NULL GROUP BY 1
       )`,
    // The first validation of each closed build. Later ones of the same build depend on it.
    `CREATE TABLE first_validations AS
       SELECT b.run_id, b.context_hash, e.status, e.error_type FROM builds b
       JOIN (SELECT run_id, arg_min(status, seq) AS status, arg_min(error_type, seq) AS error_type
         FROM all_entries WHERE ${IS_VALIDATION} GROUP BY run_id) e USING (run_id)`,
    // Every fix with its verdict: its own failure, else the status of the next validation of its build, else its own pass.
    // Most builds need no fix; what is sorted is only what is needed of the others.
    `CREATE TABLE fixes AS SELECT * EXCLUDE (ts_ms, phase) FROM (
       SELECT run_id, ts_ms, phase, instruction_version, instruction_assignment, completion_tokens, error_log_chars,
         coalesce(CASE WHEN status = 'fail' THEN status END,
           lead(CASE WHEN ${IS_VALIDATION} THEN status END IGNORE NULLS)
             OVER (PARTITION BY run_id ORDER BY seq),
           CASE WHEN status = 'pass' THEN status END) AS verdict,
         row_number() OVER (PARTITION BY run_id, phase ORDER BY seq) AS attempt
       FROM all_entries SEMI JOIN (SELECT DISTINCT run_id FROM all_entries WHERE phase = 'rework') USING (run_id)
     ) WHERE phase = 'rework' AND ${bound('ts_ms', period)}`,
    // The versions of the implement prompt that the closed builds used, once for each build. A use was assigned at random
    // if all of its steps were.
    `CREATE TABLE implement_versions AS
       SELECT b.run_id, b.outcome, u.* EXCLUDE (run_id) FROM builds b JOIN (
         SELECT run_id, instruction_version, sum(completion_tokens) AS completion_tokens,
           CASE WHEN count(instruction_assignment) = count(*) AND min(instruction_assignment) = max(instruction_assignment)
             THEN min(instruction_assignment) END AS instruction_assignment
         FROM all_entries WHERE phase = 'implement' AND instruction_version IS NOT NULL GROUP BY run_id, instruction_version
       ) u USING (run_id)`,
    // The closed builds that used exactly one version. The steps of one build resemble each other, so the build is the unit
    // that is compared.
    `CREATE TABLE implement_builds AS SELECT * FROM implement_versions
       ANTI JOIN (SELECT run_id FROM implement_versions GROUP BY run_id HAVING count(*) > 1) USING (run_id)`,
  ]
  for (const statement of statements) await database.run(statement)
}
