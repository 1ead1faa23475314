-- Loads rows into ClickHouse 26.5, `clickhouse local` or chDB. First name the directories:
--   SET param_rows = '/shared/rows/*'
-- For object storage replace each `file(` by `s3(`.

-- What the manifests say: which files count, and the builds that had no verdict yet.
CREATE OR REPLACE TABLE manifests ENGINE = MergeTree ORDER BY directory AS
SELECT replaceRegexpOne(_path, '/manifest[.]json$', '') AS directory, input.files AS files, input.entries AS entries,
  input.rejected_lines AS rejected_lines, input.out_of_order AS out_of_order, input.in_future AS in_future,
  input.unfinished_lines AS unfinished_lines, input.unfinished_bytes AS unfinished_bytes,
  input.rotated_files AS rotated_files, build_timeout_ms, manifest.entries AS entry_files,
  manifest.builds AS build_files, open_builds
FROM file({rows:String} || '/manifest.json', JSONEachRow, '
  build_timeout_ms Float64, entries Array(String), builds Array(String),
  input Tuple(files Int64, entries Int64, rejected_lines Int64, out_of_order Int64, in_future Int64,
    unfinished_lines Int64, unfinished_bytes Int64, rotated_files Int64),
  open_builds Array(Tuple(run_id String, outcome String, last_entry_ms Int64, context_file_hash Nullable(String),
    project Nullable(String), duration_seconds Float64, rework_steps Float64, idle_since_ms Int64))') AS manifest;

-- One row for each entry. `position` is its place within its build.
CREATE OR REPLACE TABLE all_entries ENGINE = MergeTree ORDER BY (run_id, position) AS
SELECT * EXCEPT (ts, counted), toUnixTimestamp64Milli(ts) AS ts_ms, toUnixTimestamp64Milli(counted) AS counted_ms,
  row_number() OVER (PARTITION BY run_id ORDER BY counted, file, line) AS position
FROM file({rows:String} || '/entries/*/*/*.parquet', Parquet, '
  run_id String, ts DateTime64(6, ''UTC''), step String, phase String, status String, error_type String,
  context_file_hash Nullable(String), prompt_tokens Nullable(Float64), cached_tokens Nullable(Float64),
  completion_tokens Nullable(Float64), total_tokens Nullable(Float64), context_tokens Nullable(Float64),
  instruction_tokens Nullable(Float64), other_tokens Nullable(Float64), instruction_version Nullable(String),
  instruction_assignment Nullable(String), project Nullable(String), model Nullable(String),
  error_log_chars Nullable(Float64), rework_cost_factor Nullable(Float64), files_touched Nullable(Float64),
  duration_seconds Nullable(Float64), cost_usd Nullable(Float64), file String, line Int32,
  counted DateTime64(6, ''UTC''), day String')
WHERE _path IN (SELECT directory || '/' || arrayJoin(entry_files) FROM manifests)
SETTINGS use_hive_partitioning = 0;

-- Builds with their outcome.
CREATE OR REPLACE TABLE closed_builds ENGINE = MergeTree ORDER BY run_id AS
SELECT * EXCEPT (last_entry), toUnixTimestamp64Milli(last_entry) AS last_entry_ms
FROM file({rows:String} || '/builds/*.parquet', Parquet, '
  run_id String, outcome String, last_entry DateTime64(6, ''UTC''), context_file_hash Nullable(String),
  project Nullable(String), duration_seconds Float64, rework_steps Float64')
WHERE _path IN (SELECT directory || '/' || arrayJoin(build_files) FROM manifests);

-- Builds without a verdict when the rows were written, with the outcome that they have once they time out.
CREATE OR REPLACE TABLE unsettled_builds ENGINE = MergeTree ORDER BY run_id AS
SELECT build_timeout_ms, build.run_id AS run_id, build.outcome AS outcome, build.last_entry_ms AS last_entry_ms,
  build.context_file_hash AS context_file_hash, build.project AS project,
  build.duration_seconds AS duration_seconds, build.rework_steps AS rework_steps,
  build.idle_since_ms AS idle_since_ms
FROM (SELECT build_timeout_ms, arrayJoin(open_builds) AS build FROM manifests);

-- What the audits cover: all entries, as of now. Replace this view for another period.
CREATE OR REPLACE VIEW period AS
SELECT -8640000000000000 AS since_ms, 8640000000000000 AS until_ms, toUnixTimestamp64Milli(now64(3)) AS now_ms;

-- The Wilson 95 % interval of a share of k in n.
CREATE OR REPLACE FUNCTION wilson_low AS (k, n) ->
  CASE WHEN n = 0 THEN NULL WHEN k = 0 THEN 0.0 ELSE (
    k / nullif(n, 0) + 1.920729410347062 / nullif(n, 0) - 1.959963984540054 * sqrt(
      k / nullif(n, 0) * (1 - k / nullif(n, 0)) / nullif(n, 0) + 0.960364705173531 / nullif(n, 0) / nullif(n, 0))
    ) / (1 + 3.841458820694124 / nullif(n, 0)) END;
CREATE OR REPLACE FUNCTION wilson_high AS (k, n) -> 1 - wilson_low(n - k, n);
