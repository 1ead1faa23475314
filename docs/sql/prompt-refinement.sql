-- Prompt Refinement: how builds and fixes fare under each version of the implement prompt and of the fix prompt. A 95 % interval of
-- a mean is mean ± t × standard_error, with t = 1.96 for many values and Student's t with n - 1 degrees of freedom for few.

CREATE OR REPLACE VIEW prompt_refinement_implement AS
SELECT s.instruction_version AS instruction_version, s.steps AS steps, s.n AS n, s.mean AS mean_completion_tokens,
  s.standard_error AS standard_error, coalesce(b.builds, 0) AS builds, coalesce(b.judged, 0) AS judged,
  coalesce(b.first_pass, 0) AS first_pass, b.first_pass / nullif(b.judged, 0) AS first_pass_rate,
  wilson_low(b.first_pass, b.judged) AS first_pass_rate_low, wilson_high(b.first_pass, b.judged) AS first_pass_rate_high
FROM (
  SELECT instruction_version, count(*) AS steps, count(completion_tokens) AS n, avg(completion_tokens) AS mean,
    CASE WHEN count(completion_tokens) > 1
      THEN sqrt(var_samp(completion_tokens) / nullif(count(completion_tokens), 0)) END AS standard_error
  FROM entries WHERE phase = 'implement' AND instruction_version IS NOT NULL GROUP BY instruction_version
) s
LEFT JOIN (
  SELECT instruction_version, count(*) AS builds, sum(CASE WHEN outcome <> 'abandoned' THEN 1 ELSE 0 END) AS judged,
    sum(CASE WHEN outcome = 'first_pass' THEN 1 ELSE 0 END) AS first_pass
  FROM implement_versions GROUP BY instruction_version
) b ON s.instruction_version = b.instruction_version;

CREATE OR REPLACE VIEW prompt_refinement_fixes AS
SELECT instruction_version, fixes, n, mean AS mean_completion_tokens, standard_error,
  completion_sum / nullif(chars_sum, 0) AS rework_cost_factor, judged, passed, passed / nullif(judged, 0) AS pass_rate,
  wilson_low(passed, judged) AS pass_rate_low, wilson_high(passed, judged) AS pass_rate_high
FROM (
  SELECT instruction_version, count(*) AS fixes, count(completion_tokens) AS n, avg(completion_tokens) AS mean,
    CASE WHEN count(completion_tokens) > 1
      THEN sqrt(var_samp(completion_tokens) / nullif(count(completion_tokens), 0)) END AS standard_error,
    sum(CASE WHEN error_log_chars > 0 THEN completion_tokens END) AS completion_sum,
    sum(CASE WHEN completion_tokens IS NOT NULL THEN error_log_chars END) AS chars_sum,
    count(verdict) AS judged, sum(CASE WHEN verdict = 'pass' THEN 1 ELSE 0 END) AS passed
  FROM fixes WHERE instruction_version IS NOT NULL GROUP BY instruction_version
) counted;

-- What the report compares: builds that used one version of the implement prompt, and the first fix of each build. Once over all
-- (`is_drawn` = 0), and once for each draw that assigned versions at random (`is_drawn` = 1): only there is a difference an
-- effect of the prompt. Whether it is more than chance says the report.
CREATE OR REPLACE VIEW prompt_refinement_sides AS
SELECT phase, is_drawn, assignment, instruction_version, count(has_passed) AS judged, avg(has_passed) AS pass_rate,
  count(completion_tokens) AS n, avg(completion_tokens) AS mean_completion_tokens
FROM (
  SELECT v.phase AS phase, d.is_drawn AS is_drawn, CASE WHEN d.is_drawn = 1 THEN v.draw END AS assignment,
    v.instruction_version AS instruction_version, v.has_passed AS has_passed, v.completion_tokens AS completion_tokens
  FROM (
    SELECT 'implement' AS phase, assignment AS draw, instruction_version, completion_tokens,
      CASE WHEN outcome = 'first_pass' THEN 1 WHEN outcome <> 'abandoned' THEN 0 END AS has_passed
    FROM implement_versions WHERE versions = 1
    UNION ALL
    SELECT 'rework' AS phase, instruction_assignment AS draw, instruction_version, completion_tokens,
      CASE WHEN verdict = 'pass' THEN 1 WHEN verdict = 'fail' THEN 0 END AS has_passed
    FROM fixes WHERE attempt = 1 AND instruction_version IS NOT NULL
  ) v
  CROSS JOIN (SELECT 0 AS is_drawn UNION ALL SELECT 1 AS is_drawn) d
  WHERE d.is_drawn = 0 OR v.draw IS NOT NULL
) uses
GROUP BY phase, is_drawn, assignment, instruction_version;
