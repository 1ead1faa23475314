import { COLORS } from './colors.ts'
import type { PanelBuilder as TimeSeriesPanel } from '@grafana/grafana-foundation-sdk/timeseries'
import { samplesOf, succeeded, tokensPerSuccess } from './measures.ts'
import { fixedColor, lines } from './panels.ts'
import { WINDOW } from './promql.ts'

/** The main cost measure over time, the same on Overview and Token Efficiency. */
export const tokensPerSuccessOverTime = (where: string): TimeSeriesPanel =>
  lines({
    title: 'Tokens per successful build over time',
    description:
      'Tokens of all closed builds divided by the number of successful builds, over the window set above. Lower is better. No point where n, the successful builds, is below 20.',
    unit: 'short',
    min: 0,
    queries: [
      { expr: tokensPerSuccess({ where, window: WINDOW }), legend: 'tokens per successful build' },
      { expr: succeeded({ where, window: WINDOW }), legend: samplesOf('successful') },
    ],
  }).colorScheme(fixedColor(COLORS.amount))
