import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { stepCosts } from '../parts/heatmap.ts'
import { BEFORE, cost, nowAndBefore, runs, succeeded, tokensPerSuccess } from '../parts/measures.ts'
import { bars, fixedColor, lines, ranking, stat } from '../parts/panels.ts'
import { BUCKET, count, ratio, share, total, WINDOW } from '../parts/promql.ts'
import { barLook, table } from '../parts/tables.ts'
import {
  contextHash,
  errorType,
  movingWindow,
  phase,
  priceCompletion,
  pricePrompt,
} from '../parts/variables.ts'

const CONTEXT = 'context_hash=~"$context"'
const TOKENS = `${CONTEXT},phase=~"$phase",error_type=~"$error"`
const STEPS = 'phase=~"$phase"'

const perSuccess = stat({
  title: 'Tokens per successful build',
  description: `All tokens of the builds that closed, those of failed and abandoned ones included, over the builds that succeeded. ${BEFORE}`,
  unit: 'short',
  decimals: 1,
  queries: nowAndBefore(CONTEXT, tokensPerSuccess),
})
const costPerSuccess = stat({
  title: 'Cost of a successful build',
  description: `All tokens at the prices typed in above, over the builds that succeeded. ${BEFORE}`,
  unit: 'currencyUSD',
  decimals: 3,
  queries: nowAndBefore(CONTEXT, (selection) => ratio(cost(selection), succeeded(selection))),
})
const FIXES = `${CONTEXT},phase="rework",error_type=~"$error"`
const reworkShare = stat({
  title: 'Spent on rework',
  description: `Share of all tokens that went into fixes. ${BEFORE}`,
  unit: 'percentunit',
  decimals: 1,
  queries: nowAndBefore(CONTEXT, (selection) =>
    share(total('tokens', { ...selection, where: FIXES }), total('tokens', selection)),
  ),
})
const lostShare = stat({
  title: 'Burnt without success',
  description: `Share of the closed builds’ tokens that failed and abandoned builds took. ${BEFORE}`,
  unit: 'percentunit',
  decimals: 1,
  queries: nowAndBefore(CONTEXT, (selection) =>
    share(
      total('buildTokens', { ...selection, where: `${CONTEXT},outcome=~"failed|abandoned"` }),
      total('buildTokens', selection),
    ),
  ),
})
const contextShare = stat({
  title: 'GEMINI.md in the prompt',
  description: `Tokens of GEMINI.md among all prompt tokens, of the entries that tell them apart. ${BEFORE}`,
  unit: 'percentunit',
  decimals: 1,
  queries: nowAndBefore(`${CONTEXT},${STEPS}`, (selection) =>
    share(
      total('promptTokens', { ...selection, where: `${CONTEXT},${STEPS},part="context"` }),
      total('promptTokens', selection),
    ),
  ),
})

const perSuccessOverTime = lines({
  title: 'Tokens per successful build over time',
  description:
    'All tokens of the closed builds over the successful ones, looking back as far as chosen above. Lower is better.',
  unit: 'short',
  min: 0,
  queries: [{ expr: tokensPerSuccess({ where: CONTEXT, window: WINDOW }), legend: 'tokens per success' }],
}).colorScheme(fixedColor('blue'))

const byPhase = bars({
  title: 'Where the tokens go',
  description: 'Tokens (prompt and completion) by phase.',
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

const fixOverTime = lines({
  title: 'Tokens of one fix attempt over time',
  description:
    'Average prompt and completion tokens of one rework step, looking back as far as chosen above. A rise of the completion tokens: fixes say more than they used to.',
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

const fixes = ranking({
  title: 'Tokens of one fix attempt, by error type',
  description:
    'Average tokens (prompt and completion) of one rework step, by the error that it answers; dearest first.',
  unit: 'short',
  decimals: 1,
  queries: [
    {
      expr: `sort_desc(topk(10, ${ratio(
        total('tokens', { by: ['error_type'], where: `${CONTEXT},error_type=~"$error",phase="rework"` }),
        runs('rework', { by: ['error_type'], where: `${CONTEXT},error_type=~"$error"` }),
      )}))`,
      legend: '{{error_type}}',
    },
  ],
}).colorScheme(fixedColor('orange'))

const runsOfStep = count('entries', { by: ['step'], where: TOKENS })
const tokensOfStep = `(${total('tokens', { by: ['step'], where: TOKENS })} > 0)`
const dearestSteps = table({
  title: 'Most expensive steps',
  description:
    'Steps that took tokens: how often they ran, what one run took on average, and their share of all tokens in this range.',
  labels: [{ label: 'step', name: 'Step', minWidth: 120 }],
  columns: [
    {
      name: 'Runs',
      expr: `${runsOfStep} and on (step) ${tokensOfStep}`,
      unit: 'locale',
      decimals: 0,
      width: 65,
    },
    {
      name: 'Tokens a run',
      formula: ['tokens', '/', 'Runs'],
      unit: 'short',
      decimals: 1,
      width: 105,
    },
    {
      name: 'Share of all',
      expr: `${tokensOfStep} / on () group_left () (${total('tokens', { where: TOKENS })} > 0)`,
      unit: 'percentunit',
      decimals: 1,
      width: 125,
      look: barLook('blue', 1),
    },
  ],
  inputs: [{ name: 'tokens', expr: tokensOfStep }],
  sortBy: ['-tokens'],
})

const promptParts = lines({
  title: 'GEMINI.md against instruction in the prompt',
  description:
    'Share of GEMINI.md in the prompt tokens of each phase, looking back as far as chosen above; the rest is the instruction with its error log.',
  unit: 'percentunit',
  min: 0,
  max: 1,
  queries: [
    {
      expr: share(
        total('promptTokens', { by: ['phase'], where: `${CONTEXT},${STEPS},part="context"`, window: WINDOW }),
        total('promptTokens', { by: ['phase'], where: `${CONTEXT},${STEPS}`, window: WINDOW }),
      ),
      legend: '{{phase}}',
    },
  ],
})

const types = bars({
  title: 'Prompt against completion',
  description: 'Tokens sent and tokens received. “unsplit” where a trace knows only their sum.',
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

const money = bars({
  title: 'Cost at your prices',
  description: 'Tokens at the prices typed in above, by phase. Tokens not split count as prompt tokens.',
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

const billed = table({
  title: 'Recorded cost, all revisions',
  description: 'Sum of the cost that the entries themselves carry; entries without a cost are not in it.',
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
  sortBy: ['-Cost'],
})

const builds = stat({
  title: 'Successful builds',
  description: `Builds that passed a verification, at first or after rework. ${BEFORE}`,
  unit: 'locale',
  decimals: 0,
  queries: nowAndBefore(CONTEXT, succeeded),
})

export const tokenEfficiency = (): Dashboard =>
  board({
    uid: 'audit-token-efficiency',
    title: 'Audit · Token Efficiency',
    description:
      'What a successful build costs in tokens and money, and which steps and errors make it dear.',
    variables: [contextHash(), errorType(), phase(), movingWindow(), pricePrompt(), priceCompletion()],
    bands: [
      {
        height: 3,
        panels: [
          [8, perSuccess],
          [8, costPerSuccess],
          [8, builds],
        ],
      },
      {
        height: 3,
        panels: [
          [8, reworkShare],
          [8, lostShare],
          [8, contextShare],
        ],
      },
      {
        height: 8,
        panels: [
          [12, perSuccessOverTime],
          [12, fixOverTime],
        ],
      },
      {
        height: 8,
        panels: [
          [12, fixes],
          [12, dearestSteps],
        ],
      },
      {
        height: 8,
        panels: [
          [12, byPhase],
          [12, types],
        ],
      },
      {
        height: 8,
        panels: [
          [12, promptParts],
          [12, stepCosts(STEPS)],
        ],
      },
      {
        height: 8,
        panels: [
          [14, money],
          [10, billed],
        ],
      },
    ],
  })
