-- Totals of the period.

CREATE OR REPLACE VIEW input AS
SELECT sum(files) AS files, sum(entries) AS entries, sum(rejected_lines) AS rejected_lines,
  sum(out_of_order) AS out_of_order, sum(in_future) AS in_future, sum(unfinished_lines) AS unfinished_lines,
  sum(unfinished_bytes) AS unfinished_bytes, sum(rotated_files) AS rotated_files
FROM manifests;

CREATE OR REPLACE VIEW totals_entries AS
SELECT count(*) AS entries, coalesce(sum(total_tokens), 0) AS tokens, sum(cost_usd) AS cost,
  min(ts_ms) AS first_entry_ms, max(ts_ms) AS last_entry_ms
FROM entries;

CREATE OR REPLACE VIEW totals_builds AS
SELECT first_pass, after_rework, failed, abandoned, in_progress,
  first_pass / nullif(judged, 0) AS first_pass_rate, wilson_low(first_pass, judged) AS first_pass_rate_low,
  wilson_high(first_pass, judged) AS first_pass_rate_high, build_tokens,
  build_tokens / nullif(first_pass + after_rework, 0) AS tokens_per_successful_build
FROM (
  SELECT coalesce(sum(CASE WHEN outcome = 'first_pass' THEN 1 ELSE 0 END), 0) AS first_pass,
    coalesce(sum(CASE WHEN outcome = 'after_rework' THEN 1 ELSE 0 END), 0) AS after_rework,
    coalesce(sum(CASE WHEN outcome = 'failed' THEN 1 ELSE 0 END), 0) AS failed,
    coalesce(sum(CASE WHEN outcome = 'abandoned' THEN 1 ELSE 0 END), 0) AS abandoned,
    coalesce(sum(CASE WHEN outcome <> 'abandoned' THEN 1 ELSE 0 END), 0) AS judged,
    coalesce(sum(tokens), 0) AS build_tokens, (SELECT count(*) FROM builds_in_progress) AS in_progress
  FROM builds
) counted;
