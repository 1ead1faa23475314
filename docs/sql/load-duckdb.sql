-- Loads rows into DuckDB 1.5. First name the directories:
--   SET VARIABLE rows = '/shared/rows/*'

-- What the manifests say: which files count, and the builds that had no verdict yet.
CREATE OR REPLACE TABLE manifests AS
SELECT directory, input.*, build_timeout_ms, entries AS entry_files, builds AS build_files, open_builds
FROM (
  SELECT regexp_replace(filename, '/manifest[.]json$', '') AS directory, unnest(from_json(content, '{
    "build_timeout_ms": "DOUBLE", "entries": ["VARCHAR"], "builds": ["VARCHAR"],
    "input": {
      "files": "BIGINT", "entries": "BIGINT", "rejected_lines": "BIGINT", "out_of_order": "BIGINT",
      "in_future": "BIGINT", "unfinished_lines": "BIGINT", "unfinished_bytes": "BIGINT", "rotated_files": "BIGINT"
    },
    "open_builds": [{
      "run_id": "VARCHAR", "outcome": "VARCHAR", "last_entry_ms": "BIGINT", "context_file_hash": "VARCHAR",
      "project": "VARCHAR", "duration_seconds": "DOUBLE", "rework_steps": "DOUBLE", "idle_since_ms": "BIGINT"
    }]
  }'))
  FROM read_text(getvariable('rows') || '/manifest.json')
);

SET VARIABLE entry_files = (
  SELECT list(directory || '/' || file) FROM (SELECT directory, unnest(entry_files) AS file FROM manifests)
);
SET VARIABLE build_files = (
  SELECT list(directory || '/' || file) FROM (SELECT directory, unnest(build_files) AS file FROM manifests)
);

-- One row for each entry. `position` is its place within its build.
CREATE OR REPLACE TABLE all_entries AS
SELECT * EXCLUDE (ts, counted), epoch_ms(ts) AS ts_ms, epoch_ms(counted) AS counted_ms,
  row_number() OVER (PARTITION BY run_id ORDER BY counted, file, line) AS position
FROM read_parquet(getvariable('entry_files'), hive_partitioning = false, union_by_name = true);

-- Builds with their outcome.
CREATE OR REPLACE TABLE closed_builds AS
SELECT * EXCLUDE (last_entry), epoch_ms(last_entry) AS last_entry_ms
FROM read_parquet(getvariable('build_files'), union_by_name = true);

-- Builds without a verdict when the rows were written, with the outcome that they have once they time out.
CREATE OR REPLACE TABLE unsettled_builds AS
SELECT build_timeout_ms, unnest(build)
FROM (SELECT build_timeout_ms, unnest(open_builds) AS build FROM manifests);

-- What the audits cover: all entries, as of now. Replace this view for another period.
CREATE OR REPLACE VIEW period AS
SELECT -8640000000000000 AS since_ms, 8640000000000000 AS until_ms, epoch_ms(now()) AS now_ms;

-- The Wilson 95 % interval of a share of k in n.
CREATE OR REPLACE MACRO wilson_low(k, n) AS
  CASE WHEN n = 0 THEN NULL WHEN k = 0 THEN 0.0 ELSE (
    k / nullif(n, 0) + 1.920729410347062 / nullif(n, 0) - 1.959963984540054 * sqrt(
      k / nullif(n, 0) * (1 - k / nullif(n, 0)) / nullif(n, 0) + 0.960364705173531 / nullif(n, 0) / nullif(n, 0))
    ) / (1 + 3.841458820694124 / nullif(n, 0)) END;
CREATE OR REPLACE MACRO wilson_high(k, n) AS 1 - wilson_low(n - k, n);
