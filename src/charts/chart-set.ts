import { amountChart, MAX_ROWS, rateChart, splitChart, volatilityChart } from './charts.ts'

/** A figure and its interval. */
interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** As much of the audits as the charts draw: the report has all of it, the running totals most. */
export interface ChartData {
  /** The costliest first. */
  readonly fixCost: readonly { label: string; mean: number; interval?: Estimate | null }[]
  readonly promptShare: readonly { phase: string; context: number; instruction: number }[]
  /** The latest last. */
  readonly revisions: readonly { label: string; rate: Estimate | null }[]
  /** The most used first. */
  readonly wordings: readonly { label: string; rate: Estimate | null }[]
  readonly moments: Parameters<typeof volatilityChart>[1]
  /** What the moments are. */
  readonly volatility: string
}

/** SVG by audit; `undefined` where there is nothing to draw. */
export interface ChartSet {
  readonly fixCost: string | undefined
  readonly promptShare: string | undefined
  readonly revisions: string | undefined
  readonly wordings: string | undefined
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
  const splits = data.promptShare.map(({ phase, context, instruction }) => ({
    label: phase,
    first: context,
    second: instruction,
  }))
  return {
    fixCost: unlessEmpty(fixes.slice(0, MAX_ROWS), (rows) =>
      amountChart('Tokens of one fix, by the error that it answers', rows),
    ),
    promptShare: unlessEmpty(splits, (rows) =>
      splitChart('Prompt tokens: GEMINI.md against instruction', ['GEMINI.md', 'instruction'], rows),
    ),
    revisions: unlessEmpty(rates(data.revisions).slice(-MAX_ROWS), (rows) =>
      rateChart('First-pass rate by revision of GEMINI.md', rows),
    ),
    wordings: unlessEmpty(rates(data.wordings).slice(0, MAX_ROWS), (rows) =>
      rateChart('First-pass rate by wording of the implement instruction', rows),
    ),
    volatility: unlessEmpty(data.moments, (moments) => volatilityChart(data.volatility, moments)),
  }
}

const unlessEmpty = <T>(rows: readonly T[], chart: (rows: readonly T[]) => string): string | undefined =>
  rows.length === 0 ? undefined : chart(rows)
