-- Token Efficiency: where the tokens go.

-- Fixes by the error that they answer. A 95 % interval of the mean is mean_tokens ± t × standard_error, with t = 1.96 for many
-- fixes and Student's t with n - 1 degrees of freedom for few.
CREATE OR REPLACE VIEW token_efficiency_fix_cost AS
SELECT error_type, fixes, n, tokens, mean_tokens, standard_error, completion_tokens_of_factor AS completion_tokens,
  error_log_chars_of_factor AS error_log_chars,
  completion_tokens_of_factor / nullif(error_log_chars_of_factor, 0) AS rework_cost_factor
FROM (
  SELECT error_type, count(*) AS fixes, count(total_tokens) AS n, coalesce(sum(total_tokens), 0) AS tokens,
    avg(total_tokens) AS mean_tokens,
    CASE WHEN count(total_tokens) > 1
      THEN sqrt(var_samp(total_tokens) / nullif(count(total_tokens), 0)) END AS standard_error,
    coalesce(sum(CASE WHEN error_log_chars > 0 THEN completion_tokens END), 0) AS completion_tokens_of_factor,
    coalesce(sum(CASE WHEN completion_tokens IS NOT NULL THEN error_log_chars END), 0) AS error_log_chars_of_factor
  FROM entries WHERE phase = 'rework' GROUP BY error_type
) fixes_of_type;

-- Prompt tokens by part, over the entries that record the prompt and at least one of its parts.
CREATE OR REPLACE VIEW token_efficiency_prompt_share AS
SELECT phase, context_sum AS context_tokens, instruction_sum AS instruction_tokens, other_sum AS other_tokens,
  context_sum / nullif(context_sum + instruction_sum + other_sum, 0) AS context_share
FROM (
  SELECT phase, sum(coalesce(context_tokens, 0)) AS context_sum, sum(coalesce(instruction_tokens, 0)) AS instruction_sum,
    sum(other_tokens) AS other_sum
  FROM entries WHERE other_tokens IS NOT NULL GROUP BY phase
) parts;

CREATE OR REPLACE VIEW token_efficiency_steps AS
SELECT step, phase, n AS entries, tokens, mean_tokens, tokens / nullif(sum(tokens) OVER (), 0) AS share
FROM (
  SELECT step, phase, count(*) AS n, coalesce(sum(total_tokens), 0) AS tokens, avg(total_tokens) AS mean_tokens
  FROM entries GROUP BY step, phase
) steps;

-- By project and model, over the entries that name a model or have a cost.
CREATE OR REPLACE VIEW token_efficiency_models AS
SELECT project, model, count(*) AS entries, coalesce(sum(total_tokens), 0) AS tokens, sum(cost_usd) AS cost
FROM entries WHERE model IS NOT NULL OR cost_usd IS NOT NULL GROUP BY project, model;

-- Closed builds by project; empty if no build has one.
CREATE OR REPLACE VIEW token_efficiency_projects AS
SELECT project, count(*) AS builds, sum(tokens) AS build_tokens FROM builds
WHERE (SELECT count(project) FROM builds) > 0 GROUP BY project;
