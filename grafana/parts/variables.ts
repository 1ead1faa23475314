import {
  CustomVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import { CATALOGUE, type MetricKey, prometheusName } from '../../src/metrics/catalogue.ts'
import { DATASOURCE } from './datasource.ts'

export type Variable = Builder<VariableModel>

export const datasource = (): Variable =>
  new DatasourceVariableBuilder('datasource')
    .label('Data source')
    .type('prometheus')
    .current({ text: 'Audit Prometheus', value: 'audit-prometheus' })

/** Values of a label, several at once; all of them unless chosen, those without a value among them. */
const labelValues = (name: string, label: string, metric: MetricKey, of: string): Variable =>
  new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(`label_values(${prometheusName(CATALOGUE[metric])}, ${of})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' })

export const contextHash = (): Variable =>
  labelValues('context', 'GEMINI.md (context hash)', 'builds', 'context_hash')
export const errorType = (): Variable => labelValues('error', 'Error type', 'entries', 'error_type')
export const phase = (): Variable => labelValues('phase', 'Phase', 'entries', 'phase')

/** How far each point of a line looks back. */
export const movingWindow = (): Variable =>
  new CustomVariableBuilder('window')
    .label('Lines look back')
    .description('Every point of a line sums up this much time before it.')
    .values('5m,15m,1h,6h,1d,7d')
    .current({ text: '1d', value: '1d' })
    .options(
      ['5m', '15m', '1h', '6h', '1d', '7d'].map((value) => ({
        text: value,
        value,
        selected: value === '1d',
      })),
    )

const price = (name: string, label: string, usd: string): Variable =>
  new TextBoxVariableBuilder(name)
    .label(label)
    .description('US dollars per million tokens; what your model costs.')
    .defaultValue(usd)
    .current({ text: usd, value: usd })
    .options([{ text: usd, value: usd, selected: true }])

export const pricePrompt = (): Variable => price('price_prompt', '$ per M prompt tokens', '1.25')
export const priceCompletion = (): Variable => price('price_completion', '$ per M completion tokens', '10')
