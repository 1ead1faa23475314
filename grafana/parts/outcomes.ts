import type { PanelBuilder as TimeSeriesPanel } from '@grafana/grafana-foundation-sdk/timeseries'

/** One colour per outcome on all dashboards; the colours also differ in brightness. */
const OUTCOME_COLORS: Readonly<Record<string, string>> = {
  'first pass': 'green',
  'after rework': 'yellow',
  failed: 'red',
  abandoned: 'text',
}

/** PromQL: replaces `_` in the `outcome` label by a space. */
export const inWords = (expression: string): string =>
  `label_replace(${expression}, "outcome", "$1 $2", "outcome", "(first|after)_(.*)")`

/** Gives each outcome its colour. */
export function colorOutcomes(panel: TimeSeriesPanel): TimeSeriesPanel {
  for (const [name, fixedColor] of Object.entries(OUTCOME_COLORS))
    panel.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor } }])
  return panel
}
