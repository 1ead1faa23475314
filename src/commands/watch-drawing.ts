import type { Engine } from '../engine.ts'
import type { Drawn } from '../serve/page.ts'
import type { StatusView } from '../serve/status.ts'

/**
 * Makes the charts and verdicts of the page, and keeps them until the totals change. The libraries for charts and statistics are loaded
 * with the first request for the page: most exporters are only scraped and never load them.
 */
export function createPageDrawing(
  engine: Pick<Engine, 'recent' | 'contexts'>,
): (view: StatusView) => Promise<Drawn> {
  let lastKey = ''
  let last: Drawn | undefined
  return async (view) => {
    const key = JSON.stringify([view.audits, view.tokens, view.builds, view.recent])
    if (last !== undefined && key === lastKey) return last
    const [{ drawCharts }, { chartData }, { liveVerdicts }] = await Promise.all([
      import('../charts/chart-set.ts'),
      import('./watch-chart-data.ts'),
      import('./watch-verdicts.ts'),
    ])
    last = {
      charts: drawCharts(chartData(view.audits)),
      verdicts: liveVerdicts(engine, view.audits, view.tokens),
    }
    lastKey = key
    return last
  }
}
