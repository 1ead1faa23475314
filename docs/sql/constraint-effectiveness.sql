-- Constraint Effectiveness: which errors occur, and what each revision of GEMINI.md changed.

CREATE OR REPLACE VIEW constraint_effectiveness_error_types AS
SELECT f.error_type AS error_type, f.failures AS failures, f.failures / sum(f.failures) OVER () AS share, f.builds AS builds,
  coalesce(r.rework_tokens, 0) AS rework_tokens
FROM (
  SELECT error_type, count(*) AS failures, count(DISTINCT run_id) AS builds FROM entries
  WHERE status = 'fail' GROUP BY error_type
) f
LEFT JOIN (
  SELECT error_type, sum(total_tokens) AS rework_tokens FROM entries WHERE phase = 'rework' GROUP BY error_type
) r ON f.error_type = r.error_type;

-- Revisions with closed builds in the period. `version` counts all revisions by their first use. `is_current` is 1 for the
-- revision of the build that started last.
CREATE OR REPLACE VIEW constraint_effectiveness_revisions AS
SELECT version, context_hash, first_seen_ms,
  CASE WHEN context_hash = (SELECT max(revision) FROM starts WHERE n = (SELECT max(n) FROM starts))
    THEN 1 ELSE 0 END AS is_current,
  builds, judged, first_pass, first_pass / nullif(judged, 0) AS first_pass_rate,
  wilson_low(first_pass, judged) AS first_pass_rate_low, wilson_high(first_pass, judged) AS first_pass_rate_high,
  tokens_of_builds AS tokens, successes, tokens_of_builds / nullif(successes, 0) AS tokens_per_successful_build
FROM (
  SELECT r.version AS version, r.revision AS context_hash, r.first_seen_ms AS first_seen_ms, count(*) AS builds,
    sum(CASE WHEN b.outcome <> 'abandoned' THEN 1 ELSE 0 END) AS judged,
    sum(CASE WHEN b.outcome = 'first_pass' THEN 1 ELSE 0 END) AS first_pass,
    sum(CASE WHEN b.outcome IN ('first_pass', 'after_rework') THEN 1 ELSE 0 END) AS successes,
    sum(b.tokens) AS tokens_of_builds
  FROM revisions r JOIN builds b ON r.revision = b.context_hash
  GROUP BY r.version, r.revision, r.first_seen_ms
) counted;

-- With which error the first validations of a revision's builds fail.
CREATE OR REPLACE VIEW constraint_effectiveness_first_failures AS
SELECT f.context_hash AS context_hash, f.error_type AS error_type, f.failed AS builds, a.n AS n, f.failed / nullif(a.n, 0) AS rate,
  wilson_low(f.failed, a.n) AS rate_low, wilson_high(f.failed, a.n) AS rate_high
FROM (
  SELECT context_hash, error_type, count(*) AS failed FROM first_validations
  WHERE status = 'fail' GROUP BY context_hash, error_type
) f
JOIN (SELECT context_hash, count(*) AS n FROM first_validations GROUP BY context_hash) a
  ON f.context_hash = a.context_hash;

-- By revision: which share of its builds started while the revision before it, or the one after it, was in use.
CREATE OR REPLACE VIEW constraint_effectiveness_overlaps AS
SELECT r.version AS version, avg(CASE WHEN s.n BETWEEN r.first_n_before AND r.last_n_before THEN 1 ELSE 0 END) AS share_before,
  avg(CASE WHEN s.n BETWEEN r.first_n_after AND r.last_n_after THEN 1 ELSE 0 END) AS share_after
FROM (
  SELECT version, context_hash,
    lag(first_n) OVER (ORDER BY version) AS first_n_before, lag(last_n) OVER (ORDER BY version) AS last_n_before,
    lead(first_n) OVER (ORDER BY version) AS first_n_after, lead(last_n) OVER (ORDER BY version) AS last_n_after
  FROM (
    SELECT u.version AS version, u.context_hash AS context_hash, o.first_n AS first_n, o.last_n AS last_n
    FROM constraint_effectiveness_revisions u
    LEFT JOIN (SELECT revision, min(n) AS first_n, max(n) AS last_n FROM starts GROUP BY revision) o
      ON u.context_hash = o.revision
  ) spans
) r
JOIN starts s ON s.revision = r.context_hash
GROUP BY r.version;

-- Each revision and the one before it. `side_by_side` is 1 if more than a tenth of the builds of each started while the
-- other was in use: neither is then the successor of the other. Whether a difference is more than chance says the report.
CREATE OR REPLACE VIEW constraint_effectiveness_changes AS
SELECT b.version AS from_version, a.version AS to_version,
  CASE WHEN ob.share_after > 0.1 AND oa.share_before > 0.1 THEN 1 ELSE 0 END AS side_by_side,
  b.judged AS from_judged, a.judged AS to_judged,
  b.first_pass_rate AS from_first_pass_rate, a.first_pass_rate AS to_first_pass_rate,
  b.builds AS from_builds, a.builds AS to_builds,
  b.tokens / b.builds AS from_tokens_per_build, a.tokens / a.builds AS to_tokens_per_build
FROM (SELECT *, row_number() OVER (ORDER BY version) + 1 AS nth FROM constraint_effectiveness_revisions) b
JOIN (SELECT *, row_number() OVER (ORDER BY version) AS nth FROM constraint_effectiveness_revisions) a ON b.nth = a.nth
LEFT JOIN constraint_effectiveness_overlaps ob ON b.version = ob.version
LEFT JOIN constraint_effectiveness_overlaps oa ON a.version = oa.version;
