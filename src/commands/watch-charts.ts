import type { ChartSet } from '../charts/chart-set.ts'
import type { StatusView } from '../serve/status.ts'

/**
 * Draws the charts of the page, and keeps them until the totals change. The libraries for charts and statistics are loaded with the first
 * request for the page: most exporters are only scraped and never load it.
 */
export function createPageCharts(): (view: StatusView) => Promise<ChartSet> {
  let lastKey = ''
  let last: ChartSet | undefined
  return async ({ audits }) => {
    const key = JSON.stringify(audits)
    if (last !== undefined && key === lastKey) return last
    const [{ drawCharts }, { chartData }] = await Promise.all([
      import('../charts/chart-set.ts'),
      import('./watch-chart-data.ts'),
    ])
    last = drawCharts(chartData(audits))
    lastKey = key
    return last
  }
}
