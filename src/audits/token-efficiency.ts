import type { Database } from './database.ts'
import type { Report } from './schema.ts'
import { meanEstimate } from './statistics.ts'
import { pooled } from './sums.ts'

type TokenEfficiency = Report['token_efficiency']

/** Where the tokens go: fixes by the error that they answer, the parts of the prompts, the most expensive steps, projects. */
export async function tokenEfficiency(database: Database): Promise<TokenEfficiency> {
  return {
    fix_cost: await fixCost(database),
    prompt_share: await promptShare(database),
    steps: await steps(database),
    models: await models(database),
    projects: await projects(database),
  }
}

async function fixCost(database: Database): Promise<TokenEfficiency['fix_cost']> {
  const rows = await database.all<{
    error_type: string
    fixes: number
    n: number
    tokens: number
    mean: number
    variance: number
    completion_tokens: number
    error_log_chars: number
  }>(`
    SELECT error_type, fixes, coalesce(n, 0) AS n, tokens, mean, variance, completion_tokens, error_log_chars FROM (
      SELECT error_type, sum(entries)::INTEGER AS fixes, coalesce(sum(total_tokens), 0) AS tokens,
        coalesce(sum(answer_tokens), 0) AS completion_tokens, coalesce(sum(answered_chars), 0) AS error_log_chars
      FROM entry_sums WHERE phase = 'rework' GROUP BY error_type
    ) LEFT JOIN (${pooled('total_tokens', 'error_type', "phase = 'rework'")}) USING (error_type)
    ORDER BY tokens DESC, error_type`)
  return rows.map(({ n, mean, variance, ...row }) => ({
    ...row,
    mean_tokens: meanEstimate({ n, mean, variance }),
    rework_cost_factor: row.error_log_chars > 0 ? row.completion_tokens / row.error_log_chars : null,
  }))
}

async function promptShare(database: Database): Promise<TokenEfficiency['prompt_share']> {
  const rows = await database.all<{
    phase: string
    context_tokens: number
    instruction_tokens: number
    other_tokens: number
  }>(`
    SELECT phase, sum(context_tokens) AS context_tokens, sum(instruction_tokens) AS instruction_tokens,
      sum(other_tokens) AS other_tokens
    FROM entry_sums WHERE other_tokens IS NOT NULL
    GROUP BY phase ORDER BY sum(prompt_tokens) DESC, phase`)
  return rows.map((row) => {
    const whole = row.context_tokens + row.instruction_tokens + row.other_tokens
    return { ...row, context_share: whole > 0 ? row.context_tokens / whole : null }
  })
}

const steps = (database: Database): Promise<TokenEfficiency['steps']> =>
  database.all(`
    SELECT step, phase, sum(entries)::INTEGER AS entries, coalesce(sum(total_tokens), 0) AS tokens,
      sum(total_tokens) / sum(total_tokens_n) AS mean_tokens,
      coalesce(sum(total_tokens), 0) / nullif(sum(sum(total_tokens)) OVER (), 0) AS share
    FROM entry_sums GROUP BY step, phase ORDER BY tokens DESC, step, phase`)

const models = (database: Database): Promise<TokenEfficiency['models']> =>
  database.all(`
    SELECT project, model, sum(entries)::INTEGER AS entries, coalesce(sum(total_tokens), 0) AS tokens,
      sum(cost_usd) AS cost_usd
    FROM entry_sums WHERE model IS NOT NULL OR is_priced
    GROUP BY project, model ORDER BY cost_usd DESC NULLS LAST, tokens DESC, project, model`)

const projects = (database: Database): Promise<TokenEfficiency['projects']> =>
  database.all(`
    SELECT project, count(*)::INTEGER AS builds, sum(tokens) AS build_tokens FROM builds
    WHERE EXISTS (FROM builds WHERE project IS NOT NULL)
    GROUP BY project ORDER BY build_tokens DESC, project`)
