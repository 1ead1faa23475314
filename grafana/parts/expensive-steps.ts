import type { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { COLORS } from './colors.ts'
import { barLook } from './looks.ts'
import { count, total } from './promql.ts'
import { table } from './tables.ts'

/** A table of the steps by their tokens, the same on Overview and Token Efficiency. `where` selects series of steps. */
export function expensiveSteps(where: string): TablePanel {
  const runs = count('entries', { by: ['step'], where })
  const tokens = `(${total('tokens', { by: ['step'], where })} > 0)`
  return table({
    title: 'Most expensive steps',
    description:
      'Number of runs of each step, average tokens (prompt and completion) per run, and share of all tokens in this time range. The most expensive step first.',
    labels: [{ label: 'step', name: 'Step', minWidth: 120 }],
    columns: [
      { name: 'Runs', expr: `${runs} and on (step) ${tokens}`, unit: 'locale', decimals: 0, width: 65 },
      {
        name: 'Tokens per step run',
        formula: ['tokens', '/', 'Runs'],
        unit: 'short',
        decimals: 1,
        width: 105,
      },
      {
        name: 'Share of tokens',
        expr: `${tokens} / on () group_left () (${total('tokens', { where })} > 0)`,
        unit: 'percentunit',
        decimals: 1,
        width: 130,
        look: barLook(COLORS.amount, 1),
      },
    ],
    inputs: [{ name: 'tokens', expr: tokens }],
    sortBy: ['-tokens'],
  })
}
