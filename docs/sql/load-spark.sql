-- Loads rows into Spark 4.2. First name the directories: in a program
-- spark.conf.set("rows", "/shared/rows/*"), with spark-sql --hivevar 'rows=/shared/rows/*'.

-- What the manifests say: which files count, and the builds that had no verdict yet. It is read before the files
-- are listed, so every file that it names is found.
CREATE OR REPLACE TEMPORARY VIEW manifest_files (
  build_timeout_ms DOUBLE, entries ARRAY<STRING>, builds ARRAY<STRING>,
  input STRUCT<files: BIGINT, entries: BIGINT, rejected_lines: BIGINT, out_of_order: BIGINT, in_future: BIGINT,
    unfinished_lines: BIGINT, unfinished_bytes: BIGINT, rotated_files: BIGINT>,
  open_builds ARRAY<STRUCT<run_id: STRING, outcome: STRING, last_entry_ms: BIGINT, context_file_hash: STRING,
    project: STRING, duration_seconds: DOUBLE, rework_steps: DOUBLE, idle_since_ms: BIGINT>>
) USING json OPTIONS (path '${rows}/manifest.json');
DROP TABLE IF EXISTS manifests;
CREATE TABLE manifests USING parquet AS
SELECT regexp_replace(url_decode(replace(input_file_name(), '+', '%2B')), '/manifest[.]json$', '') AS directory,
  input.*, build_timeout_ms, entries AS entry_files, builds AS build_files, open_builds
FROM manifest_files;

-- Other columns than those of the path: `project` and `day` are in the files, too.
CREATE OR REPLACE TEMPORARY VIEW entry_files
USING parquet OPTIONS (path '${rows}/entries', recursiveFileLookup 'true', mergeSchema 'true');
CREATE OR REPLACE TEMPORARY VIEW build_files
USING parquet OPTIONS (path '${rows}/builds', recursiveFileLookup 'true', mergeSchema 'true');

-- One row for each entry. `position` is its place within its build.
DROP TABLE IF EXISTS all_entries;
CREATE TABLE all_entries USING parquet AS
SELECT e.* EXCEPT (ts, counted, path),
  timestampdiff(MILLISECOND, TIMESTAMP_NTZ '1970-01-01 00:00:00', ts) AS ts_ms,
  timestampdiff(MILLISECOND, TIMESTAMP_NTZ '1970-01-01 00:00:00', counted) AS counted_ms,
  row_number() OVER (PARTITION BY run_id ORDER BY counted, file, line) AS position
FROM (SELECT *, url_decode(replace(input_file_name(), '+', '%2B')) AS path FROM entry_files) e
WHERE path IN (SELECT concat(directory, '/', file) FROM manifests LATERAL VIEW explode(entry_files) AS file);

-- Builds with their outcome.
DROP TABLE IF EXISTS closed_builds;
CREATE TABLE closed_builds USING parquet AS
SELECT b.* EXCEPT (last_entry, path),
  timestampdiff(MILLISECOND, TIMESTAMP_NTZ '1970-01-01 00:00:00', last_entry) AS last_entry_ms
FROM (SELECT *, url_decode(replace(input_file_name(), '+', '%2B')) AS path FROM build_files) b
WHERE path IN (SELECT concat(directory, '/', file) FROM manifests LATERAL VIEW explode(build_files) AS file);

-- Builds without a verdict when the rows were written, with the outcome that they have once they time out.
DROP TABLE IF EXISTS unsettled_builds;
CREATE TABLE unsettled_builds USING parquet AS
SELECT build_timeout_ms, build.* FROM manifests LATERAL VIEW explode(open_builds) AS build;

-- What the audits cover: all entries, as of now. Replace this view for another period.
CREATE OR REPLACE VIEW period AS
SELECT -8640000000000000 AS since_ms, 8640000000000000 AS until_ms, unix_millis(current_timestamp()) AS now_ms;

-- The Wilson 95 % interval of a share of k in n.
CREATE OR REPLACE FUNCTION wilson_low(k DOUBLE, n DOUBLE) RETURNS DOUBLE RETURN
  CASE WHEN n = 0 THEN NULL WHEN k = 0 THEN 0.0 ELSE (
    k / nullif(n, 0) + 1.920729410347062 / nullif(n, 0) - 1.959963984540054 * sqrt(
      k / nullif(n, 0) * (1 - k / nullif(n, 0)) / nullif(n, 0) + 0.960364705173531 / nullif(n, 0) / nullif(n, 0))
    ) / (1 + 3.841458820694124 / nullif(n, 0)) END;
CREATE OR REPLACE FUNCTION wilson_high(k DOUBLE, n DOUBLE) RETURNS DOUBLE RETURN 1 - wilson_low(n - k, n);
