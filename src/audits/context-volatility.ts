import type { Database } from './database.ts'
import type { Report } from './schema.ts'
import { wilson } from './statistics.ts'

type Volatility = Report['context_volatility']

/** How often GEMINI.md changed, against what became of validations and tokens in the same days (UTC). */
export async function contextVolatility(database: Database): Promise<Volatility> {
  const changed = `
    SELECT *, context_file_hash <> lag(context_file_hash) OVER (ORDER BY seq) AS changed,
      context_file_hash <> lag(context_file_hash) OVER (PARTITION BY run_id ORDER BY seq) AS changed_within
    FROM entries WHERE context_file_hash IS NOT NULL`
  const [totals] = await database.all<{ changes: number; within: number }>(`
    SELECT (count(*) FILTER (changed))::INTEGER AS changes, (count(*) FILTER (changed_within))::INTEGER AS within
    FROM (${changed})`)
  const days = await database.all<Omit<Volatility['days'][number], 'pass_rate'>>(`
    SELECT strftime(epoch_ms(e.ts_ms::BIGINT), '%Y-%m-%d') AS day,
      count(DISTINCT context_file_hash)::INTEGER AS revisions,
      (count(*) FILTER (c.changed))::INTEGER AS changes,
      (count(*) FILTER (status IN ('pass', 'fail')))::INTEGER AS validations,
      (count(*) FILTER (status = 'pass'))::INTEGER AS passed,
      coalesce(sum(total_tokens), 0) AS tokens
    FROM entries e LEFT JOIN (SELECT seq, changed FROM (${changed})) c USING (seq)
    GROUP BY day ORDER BY day`)
  return {
    changes: totals?.changes ?? 0,
    changes_within_builds: totals?.within ?? 0,
    days: days.map((day) => ({ ...day, pass_rate: wilson(day.passed, day.validations) })),
  }
}
