import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as HeatmapPanel,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap'
import { DATASOURCE } from './datasource.ts'
import { BUCKET, observed } from './promql.ts'
import { cells } from './queries.ts'

/** How many runs of steps took how many tokens, over time. */
export const stepCosts = (where: string): HeatmapPanel =>
  new HeatmapPanel()
    .title('Tokens of one run of a step, all revisions')
    .description(
      'Runs of steps by the tokens each took, over time: the brighter, the more runs. Two bands apart are two kinds of steps; a band that climbs is a step that grows dearer.',
    )
    .datasource(DATASOURCE)
    .targets([
      cells(
        {
          expr: observed('stepTokenCost', 'bucket', { by: ['le'], where, window: BUCKET }),
          legend: '{{le}}',
          interval: '1m',
        },
        0,
      ),
    ])
    .maxDataPoints(60)
    .calculate(false)
    .unit('short')
    .yAxis(new YAxisConfigBuilder().unit('short').axisLabel('tokens, at most'))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64))
    .showLegend()
