-- The tables that the audits query, the same in every engine. Run the engine's load-….sql first.

-- How complete the load is: both numbers are equal.
CREATE OR REPLACE VIEW completeness AS
SELECT (SELECT sum(entries) FROM manifests) AS entries_listed, (SELECT count(*) FROM all_entries) AS entries_loaded;

-- Entries of the period. A validation is any failure, and the pass of a verification.
CREATE OR REPLACE VIEW attributed_entries AS
SELECT *, substring(context_file_hash, 1, 12) AS revision,
  CASE WHEN status = 'fail' OR (status = 'pass' AND phase = 'verify') THEN 1 ELSE 0 END AS is_validation
FROM all_entries;
CREATE OR REPLACE VIEW entries AS
SELECT * FROM attributed_entries
WHERE ts_ms >= (SELECT since_ms FROM period) AND ts_ms < (SELECT until_ms FROM period);

-- Builds with an outcome, in whatever period. A build without a verdict has one once its timeout is over.
CREATE OR REPLACE VIEW all_builds AS
SELECT run_id, outcome, last_entry_ms, context_file_hash, project, duration_seconds, rework_steps FROM closed_builds
UNION ALL
SELECT run_id, outcome, last_entry_ms, context_file_hash, project, duration_seconds, rework_steps FROM unsettled_builds
WHERE (SELECT now_ms FROM period) - idle_since_ms > build_timeout_ms;

-- Closed builds of the period in which their last entry before the close lies, with the tokens of all their entries.
CREATE OR REPLACE VIEW builds AS
SELECT b.run_id AS run_id, b.outcome AS outcome, b.last_entry_ms AS last_entry_ms, b.project AS project,
  b.duration_seconds AS duration_seconds, b.rework_steps AS rework_steps,
  coalesce(substring(b.context_file_hash, 1, 12), 'unknown') AS context_hash, t.tokens AS tokens
FROM all_builds b
JOIN (SELECT run_id, coalesce(sum(total_tokens), 0) AS tokens FROM all_entries GROUP BY run_id) t
  ON b.run_id = t.run_id
WHERE b.last_entry_ms >= (SELECT since_ms FROM period) AND b.last_entry_ms < (SELECT until_ms FROM period);

-- Builds without an outcome whose last entry lies in the period.
CREATE OR REPLACE VIEW builds_in_progress AS
SELECT run_id, latest_ms FROM (
  SELECT run_id, max(at_ms) AS latest_ms, max(has_outcome) AS is_closed
  FROM (
    SELECT run_id, ts_ms AS at_ms, 0 AS has_outcome FROM all_entries
    UNION ALL
    SELECT run_id, last_entry_ms AS at_ms, 1 AS has_outcome FROM all_builds
  ) seen
  GROUP BY run_id
) runs
WHERE is_closed = 0
  AND latest_ms >= (SELECT since_ms FROM period) AND latest_ms < (SELECT until_ms FROM period);

-- Revisions of GEMINI.md, numbered by their first use.
CREATE OR REPLACE VIEW revisions AS
SELECT revision, first_seen_ms, row_number() OVER (ORDER BY first_seen_ms, revision) AS version
FROM (
  SELECT revision, min(ts_ms) AS first_seen_ms FROM attributed_entries
  WHERE context_file_hash IS NOT NULL GROUP BY revision
) used;

-- Starts of builds with a known GEMINI.md. `n` is their order. `changed` is 1 if none of the 20 builds before used its revision.
CREATE OR REPLACE VIEW all_starts AS
SELECT run_id, started_ms, started_day, revision, n,
  CASE WHEN n > 1 AND (use_of_revision = 1 OR n - previous_n > 20) THEN 1 ELSE 0 END AS changed
FROM (
  SELECT run_id, started_ms, started_day, revision, n, lag(n) OVER (PARTITION BY revision ORDER BY n) AS previous_n,
    row_number() OVER (PARTITION BY revision ORDER BY n) AS use_of_revision
  FROM (
    SELECT run_id, started_ms, started_day, revision,
      row_number() OVER (ORDER BY first_counted_ms, first_file, first_line) AS n
    FROM (
      SELECT run_id, min(ts_ms) AS started_ms, min(day) AS started_day,
        max(CASE WHEN position = 1 THEN counted_ms END) AS first_counted_ms,
        max(CASE WHEN position = 1 THEN file END) AS first_file,
        max(CASE WHEN position = 1 THEN line END) AS first_line,
        max(CASE WHEN position = known_from THEN revision_then END) AS revision
      FROM (
        SELECT run_id, ts_ms, day, position, counted_ms, file, line, revision AS revision_then,
          min(CASE WHEN context_file_hash IS NOT NULL THEN position END) OVER (PARTITION BY run_id) AS known_from
        FROM attributed_entries
      ) known
      GROUP BY run_id
    ) runs
    WHERE revision IS NOT NULL
  ) ordered
) uses;
CREATE OR REPLACE VIEW starts AS
SELECT * FROM all_starts
WHERE started_ms >= (SELECT since_ms FROM period) AND started_ms < (SELECT until_ms FROM period);

-- The first validation of each closed build. Later ones depend on it.
CREATE OR REPLACE VIEW first_validations AS
SELECT b.run_id AS run_id, b.context_hash AS context_hash, v.status AS status, v.error_type AS error_type
FROM builds b
JOIN (
  SELECT run_id, status, error_type, row_number() OVER (PARTITION BY run_id ORDER BY position) AS nth
  FROM attributed_entries WHERE is_validation = 1
) v ON b.run_id = v.run_id
WHERE v.nth = 1;

-- Each fix of the period. Its verdict: its own failure, else the status of the next validation, else its own pass.
-- `next_validation` is twice the place of the next validation, and one more if it passed.
CREATE OR REPLACE VIEW fixes AS
SELECT run_id, ts_ms, error_type, instruction_version, instruction_assignment, completion_tokens, error_log_chars, attempt,
  CASE WHEN status = 'fail' THEN 'fail'
    WHEN next_validation IS NOT NULL THEN CASE WHEN next_validation % 2 = 1 THEN 'pass' ELSE 'fail' END
    WHEN status = 'pass' THEN 'pass' END AS verdict
FROM (
  SELECT run_id, ts_ms, phase, status, error_type, instruction_version, instruction_assignment, completion_tokens,
    error_log_chars,
    min(CASE WHEN is_validation = 1 THEN 2 * position + CASE WHEN status = 'pass' THEN 1 ELSE 0 END END) OVER (
      PARTITION BY run_id ORDER BY position ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS next_validation,
    row_number() OVER (PARTITION BY run_id, phase ORDER BY position) AS attempt
  FROM attributed_entries
  WHERE run_id IN (SELECT run_id FROM all_entries WHERE phase = 'rework')
) steps
WHERE phase = 'rework'
  AND ts_ms >= (SELECT since_ms FROM period) AND ts_ms < (SELECT until_ms FROM period);

-- The versions of the implement prompt that each closed build used. `assignment` names the draw if all of its steps were
-- assigned at random by one draw. `versions` is how many versions the build used: compare builds that used one.
CREATE OR REPLACE VIEW implement_versions AS
SELECT b.run_id AS run_id, b.outcome AS outcome, u.instruction_version AS instruction_version,
  u.completion_tokens_of_build AS completion_tokens, u.assignment AS assignment,
  count(*) OVER (PARTITION BY b.run_id) AS versions
FROM builds b
JOIN (
  SELECT run_id, instruction_version, sum(completion_tokens) AS completion_tokens_of_build,
    CASE WHEN count(instruction_assignment) = count(*) AND min(instruction_assignment) = max(instruction_assignment)
      THEN min(instruction_assignment) END AS assignment
  FROM all_entries WHERE phase = 'implement' AND instruction_version IS NOT NULL
  GROUP BY run_id, instruction_version
) u ON b.run_id = u.run_id;
