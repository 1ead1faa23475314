import {
  BarGaugeDisplayMode,
  BarGaugeValueMode,
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizOrientation,
  VizTextDisplayOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import {
  FieldColorBuilder,
  FieldColorModeId,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type DynamicConfigValue,
  type Threshold,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as BarGaugePanel } from '@grafana/grafana-foundation-sdk/bargauge'
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimeSeriesPanel } from '@grafana/grafana-foundation-sdk/timeseries'
import { COLORS, LABEL_COLORS, SERIES_COLORS } from './colors.ts'
import { DATASOURCE } from './datasource.ts'
import { EMPTY } from './empty.ts'
import { WITHHELD } from './looks.ts'
import { WINDOW } from './promql.ts'
import { now, over, type Query } from './queries.ts'

export interface PanelSpec {
  readonly title: string
  /** What the panel shows and how it is counted; Grafana shows it as the tooltip of ⓘ. */
  readonly description: string
  /** A Grafana unit id. */
  readonly unit: string
  readonly queries: readonly Query[]
  readonly decimals?: number
  readonly min?: number
  readonly max?: number
  /** What the panel shows without data. Default: that there were no builds. */
  readonly empty?: string
}

/** A panel builder that takes a unit, decimals and bounds. */
interface Measured {
  unit(unit: string): unknown
  decimals(decimals: number): unknown
  min(min: number): unknown
  max(max: number): unknown
  noValue(text: string): unknown
}

function measured<T extends Measured>(
  panel: T,
  { unit, decimals, min, max, empty = EMPTY.builds }: PanelSpec,
): T {
  panel.unit(unit)
  panel.noValue(empty)
  if (decimals !== undefined) panel.decimals(decimals)
  if (min !== undefined) panel.min(min)
  if (max !== undefined) panel.max(max)
  return panel
}

export const fixedColor = (color: string): FieldColorBuilder =>
  new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor(color)

/** Colours a value by its threshold. */
export const byThresholds = (): FieldColorBuilder => new FieldColorBuilder().mode(FieldColorModeId.Thresholds)

/** Threshold steps. The first applies to everything below the value of the second. */
export const thresholds = (...steps: readonly Threshold[]): ThresholdsConfigBuilder =>
  new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...steps])

/** The colours of the series in a chart that have colours of their own. */
const colorsOf = ({ queries }: PanelSpec): [name: string, color: string][] =>
  queries.flatMap(({ legend = '' }) => [
    ...Object.entries(SERIES_COLORS).filter(([name]) => name === legend),
    ...Object.entries(LABEL_COLORS).flatMap(([label, colors]) =>
      legend === `{{${label}}}` ? Object.entries(colors) : [],
    ),
  ])

/**
 * Points of a line in which each is calculated over the window before it: the cost of a query grows with them, and
 * between neighbours that share most of their windows there is nothing to see.
 */
const MOVING_POINTS = 100

/** A line chart from zero with the legend below. */
export function lines(spec: PanelSpec): TimeSeriesPanel {
  const panel = new TimeSeriesPanel()
    .title(spec.title)
    .description(spec.description)
    .datasource(DATASOURCE)
    .targets(spec.queries.map(over))
    .lineWidth(2)
    .fillOpacity(0)
    .showPoints(VisibilityMode.Auto)
    .pointSize(4)
    .axisSoftMin(0)
    // Series without a colour of their own. The classic palette begins with green, yellow, blue, orange and red.
    .colorScheme(new FieldColorBuilder().mode('palette-colorblind' as FieldColorModeId))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
  for (const [name, color] of colorsOf(spec))
    panel.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor: color } }])
  for (const { legend = '' } of spec.queries.filter(isSample)) panel.overrideByName(legend, SAMPLE_LINE)
  if (spec.queries.some(({ expr }) => expr.includes(WINDOW))) panel.maxDataPoints(MOVING_POINTS)
  return measured(panel, spec)
}

/** The size of the sample of each point: a thin dotted line with its own axis. */
const SAMPLE_LINE: DynamicConfigValue[] = [
  { id: 'unit', value: 'locale' },
  { id: 'decimals', value: 0 },
  { id: 'min', value: 0 },
  { id: 'max', value: null },
  { id: 'color', value: { mode: 'fixed', fixedColor: COLORS.amount } },
  { id: 'custom.axisPlacement', value: 'right' },
  { id: 'custom.axisLabel', value: 'n' },
  { id: 'custom.lineWidth', value: 1 },
  { id: 'custom.lineStyle', value: { fill: 'dot', dash: [1, 4] } },
  { id: 'custom.showPoints', value: 'never' },
]

/** Counts as stacked bars that add up to the total. At most 60 bars, so that each stays visible. */
export const bars = (spec: PanelSpec): TimeSeriesPanel =>
  lines(spec)
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(90)
    .lineWidth(0)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .maxDataPoints(60)

/** Names of sample sizes beside a measure: `sampleOf`. */
const isSample = ({ legend = '' }: Query): boolean => legend.startsWith('n (')

/** One or more large numbers. */
export function stat(spec: PanelSpec): StatPanel {
  const panel = new StatPanel()
    .title(spec.title)
    .description(spec.description)
    .datasource(DATASOURCE)
    .targets(spec.queries.map(now))
    .graphMode(BigValueGraphMode.None)
    .colorMode(BigValueColorMode.Value)
    .textMode(spec.queries.length > 1 ? BigValueTextMode.ValueAndName : BigValueTextMode.Value)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .text(new VizTextDisplayOptionsBuilder().titleSize(13).valueSize(spec.queries.length > 1 ? 20 : 32))
    .colorScheme(fixedColor(COLORS.neutral))
  // The size of a sample is a count, whatever the unit of the measure beside it.
  for (const { legend = '' } of spec.queries.filter(isSample))
    panel.overrideByName(legend, [
      { id: 'unit', value: 'locale' },
      { id: 'decimals', value: 0 },
    ])
  if (spec.queries.some(isSample)) panel.mappings(WITHHELD as never)
  return measured(panel, spec)
}

/** A line with its 95 % interval as a band. The edges of the band are hidden from the legend. */
export function withBand(panel: TimeSeriesPanel, color: string): TimeSeriesPanel {
  const fixed = { id: 'color', value: { mode: 'fixed', fixedColor: color } }
  return panel
    .overrideByRegexp(BAND_EDGES, [
      fixed,
      { id: 'custom.lineWidth', value: 0 },
      { id: 'custom.showPoints', value: 'never' },
      { id: 'custom.hideFrom', value: { legend: true, tooltip: false, viz: false } },
    ])
    .overrideByName(UPPER_BOUND, [
      { id: 'custom.fillBelowTo', value: LOWER_BOUND },
      { id: 'custom.fillOpacity', value: 20 },
    ])
}

export const UPPER_BOUND = '95 % upper bound'
export const LOWER_BOUND = '95 % lower bound'
const BAND_EDGES = '95 % (upper|lower) bound'

/** Horizontal bars from zero, in the order of the query. */
export function ranking(spec: PanelSpec): BarGaugePanel {
  const panel = new BarGaugePanel()
    .title(spec.title)
    .description(spec.description)
    .datasource(DATASOURCE)
    .targets(spec.queries.map(now))
    .displayMode(BarGaugeDisplayMode.Basic)
    .valueMode(BarGaugeValueMode.Text)
    .orientation(VizOrientation.Horizontal)
    .showUnfilled(true)
    .minVizHeight(16)
    .maxVizHeight(32)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .text(new VizTextDisplayOptionsBuilder().titleSize(13).valueSize(18))
    .colorScheme(fixedColor(COLORS.amount))
  return measured(panel, { min: 0, ...spec })
}
