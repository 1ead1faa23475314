import { EMPTY } from '../../parts/empty.ts'
import { COLORS } from '../../parts/colors.ts'
import { runs } from '../../parts/measures.ts'
import { bars, fixedColor, lines, ranking } from '../../parts/panels.ts'
import { barLook } from '../../parts/looks.ts'
import { BUCKET, count, ratio, total, WINDOW } from '../../parts/promql.ts'
import { table } from '../../parts/tables.ts'
import { SERIES, waysTo } from '../../parts/links.ts'
import { named } from '../../parts/top.ts'
import { ERRORS, FIXES, TOKENS } from './selectors.ts'

export const byPhase = bars({
  title: 'Tokens by phase',
  description: 'Prompt and completion tokens by phase.',
  unit: 'short',
  min: 0,
  queries: [
    {
      expr: total('tokens', { by: ['phase'], where: TOKENS, window: BUCKET }),
      legend: '{{phase}}',
      interval: '1m',
    },
  ],
})

export const byType = bars({
  title: 'Tokens by type',
  description: 'Prompt tokens and completion tokens. “unsplit”: entries that record only the total.',
  unit: 'short',
  min: 0,
  queries: [
    {
      expr: `${total('tokens', { by: ['type'], where: TOKENS, window: BUCKET })} > 0`,
      legend: '{{type}}',
      interval: '1m',
    },
  ],
})

export const fixesOverTime = lines({
  title: 'Tokens per fix attempt over time',
  empty: EMPTY.fixes,
  description:
    'Average prompt and completion tokens per rework step, over the window set above. Rising completion tokens: fixes became longer.',
  unit: 'short',
  min: 0,
  queries: (['completion', 'prompt'] as const).map((type) => ({
    expr: ratio(
      total('tokens', { where: `${FIXES},type="${type}"`, window: WINDOW }),
      count('entries', { where: FIXES, window: WINDOW }),
    ),
    legend: type,
  })),
})

export const fixesByErrorType = ranking({
  title: 'Tokens per fix attempt by error type',
  empty: EMPTY.fixes,
  description:
    'Average tokens (prompt and completion) per rework step, by the error type that it answers. The ten highest.',
  unit: 'short',
  decimals: 1,
  queries: [
    {
      expr: `sort_desc(topk(10, ${ratio(
        total('tokens', { by: ['error_type'], where: named('error_type', FIXES) }),
        runs('rework', { by: ['error_type'], where: named('error_type', ERRORS) }),
      )}))`,
      legend: '{{error_type}}',
    },
  ],
})
  .colorScheme(fixedColor(COLORS.warning))
  .overrideByRegexp('.*', [waysTo(['constraint-effectiveness'], 'error', SERIES('error_type'))])

const stepRuns = count('entries', { by: ['step'], where: TOKENS })
const stepTokens = `(${total('tokens', { by: ['step'], where: TOKENS })} > 0)`

export const expensiveSteps = table({
  title: 'Most expensive steps',
  description:
    'Number of runs of each step, average tokens per run, and share of all tokens in this time range. The most expensive step first.',
  labels: [{ label: 'step', name: 'Step', minWidth: 120 }],
  columns: [
    {
      name: 'Runs',
      expr: `${stepRuns} and on (step) ${stepTokens}`,
      unit: 'locale',
      decimals: 0,
      width: 65,
    },
    {
      name: 'Tokens per run',
      formula: ['tokens', '/', 'Runs'],
      unit: 'short',
      decimals: 1,
      width: 120,
    },
    {
      name: 'Share of tokens',
      expr: `${stepTokens} / on () group_left () (${total('tokens', { where: TOKENS })} > 0)`,
      unit: 'percentunit',
      decimals: 1,
      width: 130,
      look: barLook(COLORS.amount, 1),
    },
  ],
  inputs: [{ name: 'tokens', expr: stepTokens }],
  sortBy: ['-tokens'],
})
