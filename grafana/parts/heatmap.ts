import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as HeatmapPanel,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap'
import { DATASOURCE } from './datasource.ts'
import { EMPTY } from './empty.ts'
import { BUCKET, observed } from './promql.ts'
import { cells } from './queries.ts'

/** A heatmap of step runs by their tokens, over time. */
export const stepCosts = (where: string): HeatmapPanel =>
  new HeatmapPanel()
    .title('Tokens per step run, all revisions')
    .description(
      'Distribution of the tokens per step run, over time. Brighter cells contain more runs. Separate bands are different kinds of steps; a rising band is a step that becomes more expensive.',
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
    .noValue(EMPTY.builds)
    .yAxis(new YAxisConfigBuilder().unit('short').axisLabel('tokens (upper bound)'))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64))
    .showLegend()
