import type { Progress } from '../history/progress.ts'
import { createBatches } from './batches.ts'
import { FALSE_DISCOVERY_RATE, MIN_GROUP } from './comparison.ts'
import { createComparisons } from './comparisons.ts'
import { constraintEffectiveness } from './constraint-effectiveness.ts'
import { contextVolatility } from './context-volatility.ts'
import type { Database } from './database.ts'
import { findInsights } from './insights.ts'
import { promptRefinement } from './prompt-refinement.ts'
import { reportVerdicts } from './report-verdicts.ts'
import type { Report } from './schema.ts'
import { tokenEfficiency } from './token-efficiency.ts'
import { totals } from './totals.ts'
import { createViews, type Period } from './views.ts'

export interface ReportInput {
  readonly period: Period
  readonly input: Report['input']
  readonly nowMs: number
  readonly progress: Progress
}

/** Calculates the four audits over the rows in the database, and the insights. */
export async function makeReport(database: Database, request: ReportInput): Promise<Report> {
  const { period, input, nowMs } = request
  const lacking: string[] = []
  const step = stepsOf(request.progress)
  await step(() => createViews(database, period))
  const comparisons = createComparisons(database, createBatches(database), lacking)
  const audits = {
    totals: await step(() => totals(database)),
    token_efficiency: await step(() => tokenEfficiency(database)),
    constraint_effectiveness: await step(() => constraintEffectiveness(database, comparisons, lacking)),
    prompt_refinement: await step(() => promptRefinement(database, comparisons, lacking)),
    context_volatility: await step(() => contextVolatility(database)),
  }
  const compared = comparisons.correct()
  const { actions, confirmed } = findInsights(audits)
  const [span] = await database.all<{ first: number | null; last: number | null }>(
    'SELECT min(first_ms) AS first, max(last_ms) AS last FROM entry_sums',
  )
  return {
    schema_version: 1,
    generated_at: iso(nowMs) as string,
    period: {
      since: iso(period.sinceMs),
      until: iso(period.untilMs),
      first_entry: iso(span?.first),
      last_entry: iso(span?.last),
    },
    input,
    ...audits,
    verdicts: reportVerdicts(audits),
    insights: actions,
    confirmed,
    not_enough_data: lacking,
    method: {
      interval_level: 0.95,
      false_discovery_rate: FALSE_DISCOVERY_RATE,
      comparisons: compared,
      min_group: MIN_GROUP,
    },
  }
}

const STEPS = 6

/** Runs the steps of the calculation, one after the other, and shows how many are done. */
function stepsOf(progress: Progress): <T>(work: () => Promise<T>) => Promise<T> {
  let done = 0
  return (work) => {
    progress.update('calculating', done++, STEPS, 'steps')
    return work()
  }
}

const iso = (ms: number | null | undefined): string | null =>
  ms === null || ms === undefined ? null : new Date(ms).toISOString()
