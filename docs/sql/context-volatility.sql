-- Context Volatility: how often GEMINI.md changed, with the validations and tokens of the same days (UTC).

-- `changes`: builds that started under a GEMINI.md that none of the 20 builds before had used.
CREATE OR REPLACE VIEW context_volatility_changes AS
SELECT (SELECT coalesce(sum(changed), 0) FROM starts) AS changes, coalesce(sum(is_change), 0) AS changes_within_builds
FROM (
  SELECT CASE WHEN context_file_hash <> previous_hash THEN 1 ELSE 0 END AS is_change
  FROM (
    SELECT context_file_hash, lag(context_file_hash) OVER (PARTITION BY run_id ORDER BY position) AS previous_hash
    FROM entries WHERE context_file_hash IS NOT NULL
  ) uses
) compared;

CREATE OR REPLACE VIEW context_volatility_days AS
SELECT e.day AS day, e.revisions AS revisions, coalesce(s.changes, 0) AS changes, e.validations AS validations, e.passed AS passed,
  e.passed / nullif(e.validations, 0) AS pass_rate, wilson_low(e.passed, e.validations) AS pass_rate_low,
  wilson_high(e.passed, e.validations) AS pass_rate_high, e.tokens AS tokens
FROM (
  SELECT day, count(DISTINCT context_file_hash) AS revisions, sum(is_validation) AS validations,
    sum(CASE WHEN is_validation = 1 AND status = 'pass' THEN 1 ELSE 0 END) AS passed,
    coalesce(sum(total_tokens), 0) AS tokens
  FROM entries GROUP BY day
) e
LEFT JOIN (SELECT started_day, sum(changed) AS changes FROM starts GROUP BY started_day) s ON e.day = s.started_day;
