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
import { JOB } from './selectors.ts'

export type Variable = Builder<VariableModel>

export const datasource = (): Variable =>
  new DatasourceVariableBuilder('datasource')
    .label('Data source')
    .type('prometheus')
    .current({ text: 'Audit Prometheus', value: 'audit-prometheus' })

/** A multi-value variable of a label's values. The default selects everything, series without the label included. */
const labelValues = (name: string, label: string, metric: MetricKey, of: string, all = '.*'): Variable =>
  new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(`label_values(${prometheusName(CATALOGUE[metric])}, ${of})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(all)
    .current({ text: 'All', value: '$__all' })

/** A multi-value variable of a target label of the exporters. */
const targets = (name: string, label: string, where = ''): Variable =>
  new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(`label_values(audit_exporter_build_info${where}, ${name})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' })

/** The scrape jobs of exporters, on every dashboard. */
export const job = (): Variable => targets('job', 'Job')
/** Single exporters, on the dashboard about them. */
export const instance = (): Variable => targets('instance', 'Instance', `{${JOB}}`)

/** With all revisions it matches only a missing label: see `selectors.ts`. */
export const contextHash = (): Variable =>
  labelValues('context', 'GEMINI.md (context hash)', 'builds', 'context_hash', '()')
export const errorType = (): Variable => labelValues('error', 'Error type', 'entries', 'error_type')
export const promptVersion = (): Variable =>
  labelValues('version', 'Prompt version', 'instructionBuilds', 'instruction_version')
export const project = (): Variable => labelValues('project', 'Project', 'builds', 'project')
export const model = (): Variable => labelValues('model', 'Model', 'modelTokens', 'model')
export const phase = (): Variable => labelValues('phase', 'Phase', 'entries', 'phase')

/** The window over which each point of a line chart is calculated. */
export const movingWindow = (initial: '1d' | '7d' = '1d'): Variable =>
  new CustomVariableBuilder('window')
    .label('Window')
    .description('Each point of a line chart is calculated over this much time before it.')
    .values('5m,15m,1h,6h,1d,7d')
    .current({ text: initial, value: initial })
    .options(
      ['5m', '15m', '1h', '6h', '1d', '7d'].map((value) => ({
        text: value,
        value,
        selected: value === initial,
      })),
    )

const price = (name: string, label: string, usd: string): Variable =>
  new TextBoxVariableBuilder(name)
    .label(label)
    .description('Price of your model in US dollars per million tokens.')
    .defaultValue(usd)
    .current({ text: usd, value: usd })
    .options([{ text: usd, value: usd, selected: true }])

export const pricePrompt = (): Variable => price('price_prompt', '$ per M prompt tokens', '1.25')
export const priceCompletion = (): Variable => price('price_completion', '$ per M completion tokens', '10')
