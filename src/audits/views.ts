import type { Database } from './database.ts'
import { entrySums } from './sums.ts'

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
 * Creates the tables and views that the audits query: `entries`, `entry_sums`, `builds` and `fixes` of the period, and tables
 * derived from them. Needs the tables of `createSums`. A build belongs to the period in which its last entry before its close
 * lies, with all its tokens.
 */
export async function createViews(database: Database, period: Period): Promise<void> {
  const isBounded = period.sinceMs !== undefined || period.untilMs !== undefined
  const statements = [
    `CREATE VIEW entries AS SELECT * FROM all_entries WHERE ${bound('ts_ms', period)}`,
    isBounded
      ? `CREATE TABLE entry_sums AS ${entrySums('entries')}`
      : 'CREATE VIEW entry_sums AS SELECT * FROM all_entry_sums',
    // Builds that have timed out since their sums were made are in `all_builds` only.
    `CREATE VIEW builds AS SELECT * FROM (
         SELECT * FROM build_sums WHERE outcome IS NOT NULL
         UNION ALL
         SELECT s.* REPLACE (b.outcome AS outcome, b.last_entry_ms AS last_entry_ms, b.project AS project,
           coalesce(b.context_file_hash[:12], 'unknown') AS context_hash)
         FROM build_sums s JOIN all_builds b USING (run_id) WHERE s.outcome IS NULL
       ) WHERE ${bound('last_entry_ms', period)}`,
    `CREATE VIEW open_builds AS SELECT run_id FROM build_sums ANTI JOIN all_builds USING (run_id)
       WHERE outcome IS NULL AND ${bound('ended_ms', period)}`,
    // Builds with a known GEMINI.md in order of their starts. Packages that are built side by side alternate between
    // their revisions; that does not count as a change.
    `CREATE TABLE starts AS SELECT * FROM (
         SELECT *, n > 1 AND coalesce(n - lag(n) OVER (PARTITION BY context_hash ORDER BY n) > ${ADOPTION_WINDOW}, true) AS changed
         FROM (
           SELECT started_ms, first_context AS context_hash, row_number() OVER (ORDER BY first_seq) AS n
           FROM build_sums WHERE first_context IS NOT NULL
         )
       ) WHERE ${bound('started_ms', period)}`,
    // Revisions of GEMINI.md, numbered by their first use in all files that were read.
    `CREATE TABLE revisions AS
       SELECT *, row_number() OVER (ORDER BY first_seen_ms, context_hash)::INTEGER AS version FROM (
         SELECT context_file_hash[:12] AS context_hash, min(first_ms) AS first_seen_ms FROM all_entry_sums
         WHERE context_file_hash IS NOT NULL GROUP BY 1
       )`,
    `CREATE VIEW fixes AS SELECT * FROM all_fixes WHERE ${bound('ts_ms', period)}`,
    // The closed builds that used exactly one version of the implement prompt. The steps of one build resemble each other,
    // so the build is the unit that is compared.
    'CREATE VIEW implement_builds AS SELECT * FROM builds WHERE instruction_version = other_version',
    // The versions of the implement prompt that the closed builds used, once for each build.
    `CREATE VIEW implement_versions AS
       SELECT outcome, instruction_version FROM implement_builds
       UNION ALL
       SELECT any_value(outcome), e.instruction_version FROM all_entries e
       JOIN (SELECT run_id, outcome FROM builds WHERE instruction_version <> other_version) b USING (run_id)
       WHERE phase = 'implement' AND e.instruction_version IS NOT NULL GROUP BY run_id, e.instruction_version`,
  ]
  for (const statement of statements) await database.run(statement)
}
