import { EMPTY } from '../../parts/empty.ts'
import { cost } from '../../parts/measures.ts'
import { bars } from '../../parts/panels.ts'
import { BUCKET, total } from '../../parts/promql.ts'
import { CELL, waysTo } from '../../parts/links.ts'
import { type Column, table } from '../../parts/tables.ts'
import { matchers } from '../../../prometheus/increase.ts'
import { STEPS, TOKENS } from './selectors.ts'

export const estimatedCost = bars({
  title: 'Estimated cost by phase',
  description: 'Tokens at the prices set above, by phase. Unsplit tokens count as prompt tokens.',
  unit: 'currencyUSD',
  min: 0,
  queries: [
    {
      expr: cost({ by: ['phase'], where: TOKENS, window: BUCKET }),
      legend: '{{phase}}',
      interval: '1m',
    },
  ],
})

const MODELS = `${STEPS},model=~"$model",project=~"$project"`
const tokens = (type?: string): string =>
  total('modelTokens', { by: ['model'], where: matchers(MODELS, type && `type="${type}"`) })
/** Zero if the model has none of them. */
const ofType = (type: string): string => `${tokens(type)} or ${tokens()} * 0`
const ofModels = (name: string, expr: string, width: number): Column => ({
  name,
  expr,
  unit: 'short',
  decimals: 1,
  width,
})

export const costByModel = table({
  title: 'Cost by model, all revisions',
  description:
    'Tokens of the entries that name a model, and their cost in US dollars: what the entries record, or else tokens at the prices of their model (--prices). Per million tokens: the cost over all tokens of the model; less than its prices if some of its entries have no cost.',
  labels: [
    {
      label: 'model',
      name: 'Model',
      minWidth: 120,
      looks: [waysTo(['token-efficiency'], 'model', CELL)],
    },
  ],
  columns: [
    {
      name: 'Cost',
      expr: `${total('costUsd', { by: ['model'], where: MODELS })} or ${tokens()} * 0`,
      unit: 'currencyUSD',
      decimals: 2,
      width: 68,
    },
    ofModels('Tokens', tokens(), 72),
    {
      name: 'Per million tokens',
      formula: [['Cost', '*', 1e6], '/', 'Tokens'],
      unit: 'currencyUSD',
      decimals: 2,
      width: 94,
    },
    ofModels('Prompt', ofType('prompt'), 72),
    ofModels('Cached', ofType('cached'), 64),
    ofModels('Completion', ofType('completion'), 92),
  ],
  empty: EMPTY.models,
  sortBy: ['-Cost', '-Tokens'],
})
