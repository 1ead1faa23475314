import type { Database } from './database.ts'
import type { Report } from './schema.ts'
import { wilson } from './statistics.ts'
import { dayOf, IS_VALIDATION } from './sums.ts'

type Volatility = Report['context_volatility']

/** How often GEMINI.md changed, with the validations and tokens of the same days (UTC). */
export async function contextVolatility(database: Database): Promise<Volatility> {
  const [totals] = await database.all<{ changes: number; within: number }>(`
    SELECT (SELECT count(*) FILTER (changed) FROM starts)::INTEGER AS changes,
      (SELECT count(*) FILTER (changed) FROM (
        SELECT context_file_hash <> lag(context_file_hash) OVER (PARTITION BY run_id ORDER BY seq) AS changed
        FROM entries SEMI JOIN (FROM build_sums WHERE has_changes) USING (run_id) WHERE context_file_hash IS NOT NULL
      ))::INTEGER AS within`)
  const days = await database.all<Omit<Volatility['days'][number], 'pass_rate'>>(`
    SELECT strftime(epoch_ms(86400000::BIGINT * e.day), '%Y-%m-%d') AS day, revisions, coalesce(changes, 0)::INTEGER AS changes,
      validations, passed, tokens
    FROM (
      SELECT day, count(DISTINCT context_file_hash)::INTEGER AS revisions,
        coalesce(sum(entries) FILTER (${IS_VALIDATION}), 0)::INTEGER AS validations,
        coalesce(sum(entries) FILTER (${IS_VALIDATION} AND status = 'pass'), 0)::INTEGER AS passed,
        coalesce(sum(total_tokens), 0) AS tokens
      FROM entry_sums GROUP BY day
    ) e LEFT JOIN (
      SELECT ${dayOf('started_ms')} AS day, count(*) FILTER (changed) AS changes FROM starts GROUP BY day
    ) s ON e.day = s.day ORDER BY e.day`)
  return {
    changes: totals?.changes ?? 0,
    changes_within_builds: totals?.within ?? 0,
    days: days.map((day) => ({ ...day, pass_rate: wilson(day.passed, day.validations) })),
  }
}
