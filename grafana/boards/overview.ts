import { EMPTY } from '../parts/empty.ts'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { firingAlerts, firingCount } from '../parts/alerts.ts'
import { COLORS } from '../parts/colors.ts'
import { board } from '../parts/board.ts'
import { exporterBand } from '../parts/exporter-health.ts'
import { errorTypeColumn } from '../parts/label-columns.ts'
import { toAudit } from '../parts/links.ts'
import {
  failures,
  firstPassBound,
  firstPassRate,
  judged,
  reworkCostFactor,
  runs,
  samplesOf,
} from '../parts/measures.ts'
import { inWords } from '../parts/outcomes.ts'
import { expensiveSteps } from '../parts/expensive-steps.ts'
import { bars, fixedColor, lines, LOWER_BOUND, UPPER_BOUND, withBand } from '../parts/panels.ts'
import { BUCKET, count, WINDOW } from '../parts/promql.ts'
import { barLook } from '../parts/looks.ts'
import { table } from '../parts/tables.ts'
import { named } from '../parts/named.ts'
import { tokensPerSuccessOverTime } from '../parts/tokens-per-success.ts'
import { CONTEXT } from '../parts/selectors.ts'
import { family, revisions, scope, uncovered } from '../parts/hidden-variables.ts'
import { contextHash, movingWindow, priceCompletion, pricePrompt, project } from '../parts/variables.ts'
import { projects } from './overview/projects.ts'
import { now } from './overview/now.ts'
import { headline } from './overview/headline.ts'

/** Metrics of builds also have the project. */
const BUILDS = `${CONTEXT},project=~"$project"`

const outcomes = bars({
  title: 'Builds by outcome',
  description: 'Closed builds, at the time of their closing.',
  unit: 'short',
  decimals: 0,
  min: 0,
  queries: [
    {
      expr: inWords(count('builds', { by: ['outcome'], where: BUILDS, window: BUCKET })),
      legend: '{{outcome}}',
      interval: '1m',
    },
  ],
})

const firstPass = withBand(
  lines({
    title: 'First-pass rate over time',
    description:
      'Share of the judged builds (those with a verdict) that passed their first verification, over the window set above. The band is the 95 % interval (Wilson). No point where n, the judged builds, is below 20.',
    unit: 'percentunit',
    min: 0,
    max: 1,
    queries: [
      { expr: firstPassBound('upper', { where: BUILDS, window: WINDOW }), legend: UPPER_BOUND },
      { expr: firstPassRate({ where: BUILDS, window: WINDOW }), legend: 'first-pass rate' },
      { expr: firstPassBound('lower', { where: BUILDS, window: WINDOW }), legend: LOWER_BOUND },
      { expr: judged({ where: BUILDS, window: WINDOW }), legend: samplesOf('judged') },
    ],
  }),
  COLORS.good,
)

const rework = lines({
  title: 'Rework cost factor over time',
  empty: EMPTY.fixes,
  description:
    'Completion tokens of all fixes per character of error log, over the window set above. Lower is better. No point where n, the fixes, is below 20.',
  unit: 'none',
  decimals: 2,
  min: 0,
  queries: [
    { expr: reworkCostFactor({ where: CONTEXT, window: WINDOW }), legend: 'tokens per character' },
    { expr: runs('rework', { where: CONTEXT, window: WINDOW }), legend: samplesOf('fixes') },
  ],
}).colorScheme(fixedColor(COLORS.warning))

const failed = failures({ by: ['error_type'], where: named('error_type', CONTEXT) })
const errors = table({
  title: 'Failed validations by error type',
  empty: EMPTY.failures,
  description:
    'Failed validations in this time range by error type, and their share of all failed validations. The most frequent first.',
  labels: [errorTypeColumn(190)],
  columns: [
    { name: 'Failed validations', expr: failed, unit: 'locale', decimals: 0, width: 95 },
    {
      name: 'Share',
      expr: `${failed} / on () group_left () (${failures({ where: CONTEXT })} > 0)`,
      unit: 'percentunit',
      decimals: 1,
      width: 130,
      look: barLook(COLORS.bad, 1),
    },
  ],
  sortBy: ['-Failed validations', 'Error type'],
}).links([toAudit('audit-constraint-effectiveness', 'Constraint Effectiveness')])

export const overview = (runbook: string): Dashboard =>
  board({
    uid: 'audit-overview',
    title: 'Audit · Overview',
    description: 'Outcomes and cost of the code generation builds.',
    variables: [
      contextHash(),
      project(),
      movingWindow(),
      pricePrompt(),
      priceCompletion(),
      uncovered(),
      revisions(),
      family(),
      scope(),
    ],
    bands: [
      {
        height: 6,
        panels: [
          [4, firingCount()],
          [20, firingAlerts(runbook)],
        ],
      },
      { height: 7, panels: [[24, now(CONTEXT)]] },
      ...headline(CONTEXT, BUILDS),
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
          [12, tokensPerSuccessOverTime(BUILDS)],
          [12, rework],
        ],
      },
      {
        height: 9,
        panels: [
          [12, expensiveSteps(CONTEXT)],
          [12, errors],
        ],
      },
      { height: 8, panels: [[24, projects(CONTEXT)]] },
      exporterBand(),
    ],
  })
