import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { toAudit } from '../parts/links.ts'
import { firingAlerts, firingCount } from '../parts/alerts.ts'
import { board } from '../parts/board.ts'
import { exporterBand } from '../parts/exporter-health.ts'
import {
  BEFORE,
  cost,
  firstPassBound,
  firstPassRate,
  nowAndBefore,
  reworkCostFactor,
  tokensPerSuccess,
} from '../parts/measures.ts'
import { colorOutcomes, inWords } from '../parts/outcomes.ts'
import { AT_LEAST, AT_MOST, bars, fixedColor, lines, ranking, stat, withBand } from '../parts/panels.ts'
import { BUCKET, count, ratio, total, WINDOW } from '../parts/promql.ts'
import { contextHash, movingWindow, priceCompletion, pricePrompt } from '../parts/variables.ts'

const CHOSEN = 'context_hash=~"$context"'

const headline = [
  stat({
    title: 'First-pass rate',
    description: `Share of the builds that passed their first verification, of all that reached a verdict. Abandoned builds have none. ${BEFORE}`,
    unit: 'percentunit',
    decimals: 1,
    queries: nowAndBefore(CHOSEN, firstPassRate),
  }).links([toAudit('audit-prompt-refinement', 'Prompt Refinement')]),
  stat({
    title: 'Tokens per success',
    description: `All tokens of the builds that closed, those of failed and abandoned ones included, over the builds that succeeded. ${BEFORE}`,
    unit: 'short',
    decimals: 1,
    queries: nowAndBefore(CHOSEN, tokensPerSuccess),
  }).links([toAudit('audit-token-efficiency', 'Token Efficiency')]),
  stat({
    title: 'Rework cost factor',
    description: `Completion tokens that fixes took for each character of error log they were given. ${BEFORE}`,
    unit: 'none',
    decimals: 2,
    queries: nowAndBefore(CHOSEN, reworkCostFactor),
  }).links([toAudit('audit-prompt-refinement', 'Prompt Refinement')]),
  stat({
    title: 'Builds',
    description: `Builds that closed, whatever their outcome. ${BEFORE}`,
    unit: 'locale',
    decimals: 0,
    queries: nowAndBefore(CHOSEN, (selection) => count('builds', selection)),
  }),
  stat({
    title: 'Cost at your prices',
    description: `All tokens at the prices per million typed in above. Tokens that the traces do not split count as prompt tokens. ${BEFORE}`,
    unit: 'currencyUSD',
    decimals: 2,
    queries: nowAndBefore(CHOSEN, cost),
  }).links([toAudit('audit-token-efficiency', 'Token Efficiency')]),
]

const outcomes = colorOutcomes(
  bars({
    title: 'Builds by outcome',
    description: 'Builds that closed, in the bar of the time at which they closed.',
    unit: 'short',
    decimals: 0,
    min: 0,
    queries: [
      {
        expr: inWords(count('builds', { by: ['outcome'], where: CHOSEN, window: BUCKET })),
        legend: '{{outcome}}',
        interval: '1m',
      },
    ],
  }),
)

const firstPass = withBand(
  lines({
    title: 'First-pass rate over time',
    description:
      'Share of the judged builds that passed their first verification, looking back as far as chosen above; the band is the 95 % interval (Wilson) for that many builds.',
    unit: 'percentunit',
    min: 0,
    max: 1,
    queries: [
      { expr: firstPassBound('upper', { where: CHOSEN, window: WINDOW }), legend: AT_MOST },
      { expr: firstPassRate({ where: CHOSEN, window: WINDOW }), legend: 'first-pass rate' },
      { expr: firstPassBound('lower', { where: CHOSEN, window: WINDOW }), legend: AT_LEAST },
    ],
  }),
  'first-pass rate',
  'green',
)

const tokens = lines({
  title: 'Tokens per successful build over time',
  description:
    'All tokens of the closed builds over the successful ones, looking back as far as chosen above. Lower is better.',
  unit: 'short',
  min: 0,
  queries: [{ expr: tokensPerSuccess({ where: CHOSEN, window: WINDOW }), legend: 'tokens per success' }],
}).colorScheme(fixedColor('blue'))

const rework = lines({
  title: 'Rework cost factor over time',
  description:
    'Completion tokens for each character of error log, of all fixes, looking back as far as chosen above. A rise means that fixes say more than the errors call for.',
  unit: 'none',
  decimals: 2,
  min: 0,
  queries: [{ expr: reworkCostFactor({ where: CHOSEN, window: WINDOW }), legend: 'tokens per character' }],
}).colorScheme(fixedColor('orange'))

const steps = ranking({
  title: 'Most expensive steps',
  description: 'Average tokens (prompt and completion) of one run of a step; the ten dearest.',
  unit: 'short',
  decimals: 1,
  queries: [
    {
      expr: `sort_desc(topk(10, ${ratio(
        total('tokens', { by: ['step'], where: CHOSEN }),
        count('entries', { by: ['step'], where: CHOSEN }),
      )} > 0))`,
      legend: '{{step}}',
    },
  ],
})

const errors = ranking({
  title: 'What verifications fail with',
  description: 'Failing verifications by error type, in the whole range; the ten most frequent.',
  unit: 'short',
  decimals: 0,
  queries: [
    {
      expr: `sort_desc(topk(10, ${count('entries', {
        by: ['error_type'],
        where: `status="fail",error_type!="",${CHOSEN}`,
      })} > 0))`,
      legend: '{{error_type}}',
    },
  ],
})
  .colorScheme(fixedColor('red'))
  .links([toAudit('audit-constraint-effectiveness', 'Constraint Effectiveness')])

export const overview = (): Dashboard =>
  board({
    uid: 'audit-overview',
    title: 'Audit · Overview',
    description: 'How the code generation builds fare, and what they cost.',
    variables: [contextHash(), movingWindow(), pricePrompt(), priceCompletion()],
    bands: [
      {
        height: 3,
        panels: [
          [8, headline[0]!],
          [8, headline[1]!],
          [8, headline[2]!],
        ],
      },
      {
        height: 3,
        panels: [
          [8, headline[3]!],
          [8, headline[4]!],
          [8, firingCount()],
        ],
      },
      {
        height: 8,
        panels: [
          [12, outcomes],
          [12, firstPass],
        ],
      },
      {
        height: 8,
        panels: [
          [12, tokens],
          [12, rework],
        ],
      },
      {
        height: 8,
        panels: [
          [12, steps],
          [12, errors],
        ],
      },
      { height: 5, panels: [[24, firingAlerts()]] },
      exporterBand(),
    ],
  })
