import type { ChartData, ChartSet } from '../charts/chart-set.ts'
import { wilson } from '../audits/statistics.ts'
import { typeName } from '../render/format.ts'
import type { AuditsView, StatusView } from '../serve/status.ts'

/**
 * Draws the charts of the page, and keeps them until the totals change. The chart library is loaded with the first
 * request for the page: most exporters are only scraped and never load it.
 */
export function createPageCharts(): (view: StatusView) => Promise<ChartSet> {
  let lastKey = ''
  let last: ChartSet | undefined
  return async ({ audits }) => {
    const key = JSON.stringify(audits)
    if (last !== undefined && key === lastKey) return last
    const { drawCharts } = await import('../charts/chart-set.ts')
    last = drawCharts(chartData(audits))
    lastKey = key
    return last
  }
}

const chartData = ({ fixes, promptShare, revisions, implement }: AuditsView): ChartData => ({
  fixCost: fixes.map(({ errorType, fixes: n, tokens }) => ({
    label: typeName(errorType),
    mean: n === 0 ? 0 : tokens / n,
  })),
  promptShare,
  revisions: revisions.map(({ label, firstPass, judged }) => ({ label, rate: wilson(firstPass, judged) })),
  promptVersions: implement
    .toSorted((a, b) => b.builds - a.builds)
    .map(({ promptVersion, firstPass, judged }) => ({
      label: promptVersion,
      rate: wilson(firstPass, judged),
    })),
  volatility: 'Validations passed and tokens per build, from one revision of GEMINI.md to the next',
  moments: revisions.slice(-12).map(({ label, passed, validations, tokens, builds }) => {
    const rate = wilson(passed, validations)
    return {
      label: label.split(' ')[0] ?? label,
      rate: rate === null ? null : { label, ...rate },
      tokens: builds === 0 ? 0 : tokens / builds,
      changed: false,
    }
  }),
})
