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
  type Threshold,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as BarGaugePanel } from '@grafana/grafana-foundation-sdk/bargauge'
import { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TimeSeriesPanel } from '@grafana/grafana-foundation-sdk/timeseries'
import { DATASOURCE } from './datasource.ts'
import { now, over, type Query } from './queries.ts'

export interface PanelSpec {
  readonly title: string
  /** What it answers and how it is counted: shown behind the panel's ⓘ. */
  readonly description: string
  /** A Grafana unit id. */
  readonly unit: string
  readonly queries: readonly Query[]
  readonly decimals?: number
  readonly min?: number
  readonly max?: number
}

/** Anything that takes a unit, decimals and bounds. */
interface Measured {
  unit(unit: string): unknown
  decimals(decimals: number): unknown
  min(min: number): unknown
  max(max: number): unknown
}

function measured<T extends Measured>(panel: T, { unit, decimals, min, max }: PanelSpec): T {
  panel.unit(unit)
  if (decimals !== undefined) panel.decimals(decimals)
  if (min !== undefined) panel.min(min)
  if (max !== undefined) panel.max(max)
  return panel
}

export const fixedColor = (color: string): FieldColorBuilder =>
  new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor(color)

/** The colour of the step that the value has reached. */
export const byThresholds = (): FieldColorBuilder => new FieldColorBuilder().mode(FieldColorModeId.Thresholds)

/** Colour steps; the first holds for everything below the second's value. */
export const thresholds = (...steps: readonly Threshold[]): ThresholdsConfigBuilder =>
  new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...steps])

/** Lines over time, from zero, with a legend of few names below. */
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
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
  return measured(panel, spec)
}

/** Counts as stacked bars that add up to the total; few enough bars to be told apart. */
export const bars = (spec: PanelSpec): TimeSeriesPanel =>
  lines(spec)
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(90)
    .lineWidth(0)
    .showPoints(VisibilityMode.Never)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .maxDataPoints(60)

/** One large number, or a few. */
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
    .colorScheme(fixedColor('text'))
  return measured(panel, spec)
}

/** A line with its 95 % interval as a band around it; the band's edges stay out of the legend. */
export function withBand(panel: TimeSeriesPanel, line: string, color: string): TimeSeriesPanel {
  const fixed = { id: 'color', value: { mode: 'fixed', fixedColor: color } }
  return panel
    .overrideByName(line, [fixed])
    .overrideByRegexp(BAND_EDGES, [
      fixed,
      { id: 'custom.lineWidth', value: 0 },
      { id: 'custom.showPoints', value: 'never' },
      { id: 'custom.hideFrom', value: { legend: true, tooltip: false, viz: false } },
    ])
    .overrideByName(AT_MOST, [
      { id: 'custom.fillBelowTo', value: AT_LEAST },
      { id: 'custom.fillOpacity', value: 20 },
    ])
}

export const AT_MOST = '95 % at most'
export const AT_LEAST = '95 % at least'
const BAND_EDGES = '95 % at (most|least)'

/** Ranked horizontal bars from zero, the largest first where the query sorts. */
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
    .colorScheme(fixedColor('blue'))
  return measured(panel, { min: 0, ...spec })
}
