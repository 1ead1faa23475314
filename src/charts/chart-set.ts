import { amountChart, MAX_ROWS, rateChart, splitChart, volatilityChart } from './charts.ts'

/** A value and its interval. */
interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** The part of the audits that the charts draw. The report fills all of it, the running totals most. */
export interface ChartData {
  /** The costliest first. */
  readonly fixCost: readonly { label: string; mean: number; interval?: Estimate | null }[]
  /** Tokens by part of the prompt. */
  readonly promptShare: readonly { phase: string; context: number; instruction: number; other: number }[]
  /** The latest last. */
  readonly revisions: readonly { label: string; rate: Estimate | null }[]
  /** The most used first. */
  readonly promptVersions: readonly { label: string; rate: Estimate | null }[]
  readonly moments: Parameters<typeof volatilityChart>[1]
  /** Title of the chart of the moments. */
  readonly volatility: string
}

/** The charts as SVG; `undefined` where there is no data. */
export interface ChartSet {
  readonly fixCost: string | undefined
  readonly promptShare: string | undefined
  readonly revisions: string | undefined
  readonly promptVersions: string | undefined
  readonly volatility: string | undefined
}

export function drawCharts(data: ChartData): ChartSet {
  const rates = (rows: ChartData['revisions']) =>
    rows.flatMap(({ label, rate }) =>
      rate === null ? [] : [{ label, value: rate.value, low: rate.low, high: rate.high }],
    )
  const fixes = data.fixCost.map(({ label, mean, interval }) => ({
    label,
    value: mean,
    low: interval?.low,
    high: interval?.high,
  }))
  const splits = data.promptShare.map(({ phase, context, instruction, other }) => ({
    label: phase,
    values: [context, instruction, other],
  }))
  return {
    fixCost: unlessEmpty(fixes.slice(0, MAX_ROWS), (rows) =>
      amountChart('Tokens of one fix, by the error that it answers', rows),
    ),
    promptShare: unlessEmpty(splits, (rows) =>
      splitChart('Prompt tokens by part', ['GEMINI.md', 'instruction', 'other'], rows),
    ),
    revisions: unlessEmpty(rates(data.revisions).slice(-MAX_ROWS), (rows) =>
      rateChart('First-pass rate by revision of GEMINI.md', rows),
    ),
    promptVersions: unlessEmpty(rates(data.promptVersions).slice(0, MAX_ROWS), (rows) =>
      rateChart('First-pass rate by version of the implement prompt', rows),
    ),
    volatility: unlessEmpty(data.moments, (moments) => volatilityChart(data.volatility, moments)),
  }
}

const unlessEmpty = <T>(rows: readonly T[], chart: (rows: readonly T[]) => string): string | undefined =>
  rows.length === 0 ? undefined : chart(rows)
