import type { PanelBuilder as TimeSeriesPanel } from '@grafana/grafana-foundation-sdk/timeseries'

/** The same colour for the same outcome everywhere; tellable apart by brightness too. */
const OUTCOME_COLORS: Readonly<Record<string, string>> = {
  'first pass': 'green',
  'after rework': 'yellow',
  failed: 'red',
  abandoned: 'text',
}

/** PromQL: the `outcome` label in words. */
export const inWords = (expression: string): string =>
  `label_replace(${expression}, "outcome", "$1 $2", "outcome", "(first|after)_(.*)")`

/** Gives each outcome its colour. */
export function colorOutcomes(panel: TimeSeriesPanel): TimeSeriesPanel {
  for (const [name, fixedColor] of Object.entries(OUTCOME_COLORS))
    panel.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor } }])
  return panel
}
