import { OUTCOMES } from '../attribute/build.ts'
import type { Database } from './database.ts'
import type { Report } from './schema.ts'
import { wilson } from './statistics.ts'

export async function totals(database: Database): Promise<Report['totals']> {
  const [entries] = await database.all<{ entries: number; tokens: number; cost_usd: number | null }>(
    'SELECT coalesce(sum(entries), 0)::INTEGER AS entries, coalesce(sum(total_tokens), 0) AS tokens, sum(cost_usd) AS cost_usd FROM entry_sums',
  )
  const [open] = await database.all<{ builds: number }>('SELECT count(*)::INTEGER AS builds FROM open_builds')
  const closed = await database.all<{ outcome: string; builds: number; tokens: number }>(
    'SELECT outcome, count(*)::INTEGER AS builds, sum(tokens) AS tokens FROM builds GROUP BY outcome',
  )
  const [first = 0, after = 0, failed = 0, abandoned = 0] = OUTCOMES.map(
    (outcome) => closed.find((row) => row.outcome === outcome)?.builds ?? 0,
  )
  const buildTokens = closed.reduce((sum, { tokens }) => sum + tokens, 0)
  return {
    entries: entries?.entries ?? 0,
    tokens: entries?.tokens ?? 0,
    cost_usd: entries?.cost_usd ?? null,
    builds: { first_pass: first, after_rework: after, failed, abandoned },
    builds_in_progress: open?.builds ?? 0,
    first_pass_rate: wilson(first, first + after + failed),
    build_tokens: buildTokens,
    tokens_per_successful_build: first + after > 0 ? buildTokens / (first + after) : null,
  }
}
