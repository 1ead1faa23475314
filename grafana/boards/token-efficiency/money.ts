import { EMPTY } from '../../parts/empty.ts'
import { cost } from '../../parts/measures.ts'
import { bars } from '../../parts/panels.ts'
import { BUCKET, total } from '../../parts/promql.ts'
import { table } from '../../parts/tables.ts'
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

export const recordedCost = table({
  title: 'Recorded cost by model, all revisions',
  description: 'Sum of the costs that the entries record. Entries without a cost are not included.',
  labels: [{ label: 'model', name: 'Model' }],
  columns: [
    {
      name: 'Cost',
      expr: total('costUsd', { by: ['model'], where: STEPS }),
      unit: 'currencyUSD',
      decimals: 2,
      width: 85,
    },
  ],
  empty: EMPTY.costs,
  sortBy: ['-Cost'],
})
