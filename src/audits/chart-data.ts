import type { ChartData } from '../charts/chart-set.ts'
import { typeName } from '../render/format.ts'
import type { Report } from './schema.ts'
import type { Estimate, MeanEstimate } from './statistics.ts'

/** The part of a report that the charts draw. */
export const chartData = (report: Report): ChartData => ({
  fixCost: report.token_efficiency.fix_cost.flatMap(({ error_type: type, mean_tokens: mean }) =>
    mean === null ? [] : [{ label: typeName(type), mean: mean.value, interval: bounded(mean) }],
  ),
  promptShare: report.token_efficiency.prompt_share.map((row) => ({
    phase: row.phase,
    context: row.context_tokens,
    instruction: row.instruction_tokens,
    other: row.other_tokens,
  })),
  revisions: report.constraint_effectiveness.revisions.map((row) => ({
    label: `${row.version} ${row.context_hash}`,
    rate: row.first_pass_rate,
  })),
  promptVersions: report.prompt_refinement.implement.map((row) => ({
    label: row.instruction_version,
    rate: row.first_pass_rate,
  })),
  volatility: 'Validations passed and tokens by day, and when GEMINI.md changed',
  moments: report.context_volatility.days.map((day) => ({
    label: day.day.slice(5),
    rate: day.pass_rate === null ? null : { label: day.day, ...day.pass_rate },
    tokens: day.tokens,
    changed: day.changes > 0,
  })),
})

const bounded = ({ value, low, high }: MeanEstimate): Estimate | null =>
  low === null || high === null ? null : { value, low, high }
