import { IS_VALIDATION } from './views.ts'
import type { Database } from './database.ts'
import type { Report } from './schema.ts'
import { wilson } from './statistics.ts'

type Volatility = Report['context_volatility']

/** How often GEMINI.md changed, with the validations and tokens of the same days (UTC). */
export async function contextVolatility(database: Database): Promise<Volatility> {
  const [totals] = await database.all<{ changes: number; within: number }>(`
    SELECT (SELECT count(*) FILTER (changed) FROM starts)::INTEGER AS changes,
      (SELECT count(*) FILTER (changed) FROM (
        SELECT context_file_hash <> lag(context_file_hash) OVER (PARTITION BY run_id ORDER BY seq) AS changed
        FROM entries SEMI JOIN (
          SELECT run_id FROM entries GROUP BY run_id HAVING min(context_file_hash) <> max(context_file_hash)
        ) USING (run_id) WHERE context_file_hash IS NOT NULL
      ))::INTEGER AS within`)
  const days = await database.all<Omit<Volatility['days'][number], 'pass_rate'>>(`
    SELECT e.day, revisions, coalesce(changes, 0)::INTEGER AS changes, validations, passed, tokens
    FROM (
      SELECT ${dayOf('ts_ms')} AS day, count(DISTINCT context_file_hash)::INTEGER AS revisions,
        (count(*) FILTER (${IS_VALIDATION}))::INTEGER AS validations,
        (count(*) FILTER (${IS_VALIDATION} AND status = 'pass'))::INTEGER AS passed, coalesce(sum(total_tokens), 0) AS tokens
      FROM entries GROUP BY day
    ) e LEFT JOIN (
      SELECT ${dayOf('started_ms')} AS day, count(*) FILTER (changed) AS changes FROM starts GROUP BY day
    ) s ON e.day = s.day ORDER BY e.day`)
  return {
    changes: totals?.changes ?? 0,
    changes_within_builds: totals?.within ?? 0,
    days: days.map((day) => ({ ...day, pass_rate: wilson(day.passed, day.validations) })),
  }
}

const dayOf = (column: string): string => `strftime(epoch_ms(${column}::BIGINT), '%Y-%m-%d')`
