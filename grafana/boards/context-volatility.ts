import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import {
  failures,
  firstPassRate,
  judged,
  passedFirst,
  runs,
  succeeded,
  verifications,
} from '../parts/measures.ts'
import { bars, lines } from '../parts/panels.ts'
import {
  BUCKET,
  count,
  FIRST_SEEN,
  ofPrevious,
  ratio,
  share,
  shareIfEnough,
  total,
  verdict,
  wilson,
  withVersion,
} from '../parts/promql.ts'
import { barLook, changeLook, table, VERDICT_LOOK, type Column } from '../parts/tables.ts'
import { contextHash } from '../parts/variables.ts'

const CONTEXT = 'context_hash=~"$context"'
const BY = { by: ['context_hash'] } as const

const shown = (expression: string): string =>
  withVersion(`(${expression}) and on (context_hash) max by (context_hash) (audit_context_info{${CONTEXT}})`)

const builds = judged(BY)
const passed = `(${passedFirst(BY)} or ${builds} * 0)`
const perSuccess = ratio(total('buildTokens', BY), succeeded(BY))
const reworkSteps = share(runs('rework', BY), count('builds', BY))

const REVISION = { label: 'version', name: 'Revision', width: 75 } as const

const passing = table({
  title: 'Does each revision pass more often than the one before?',
  description:
    'First-pass rate of the builds under each GEMINI.md, with its 95 % interval (Wilson). The verdict compares with the revision before (two-proportion test at 95 %); below 20 builds on either side there is none.',
  labels: [REVISION],
  columns: [
    {
      name: 'First used',
      expr: withVersion(
        `max by (context_hash) (audit_context_first_seen_timestamp_seconds{${CONTEXT}}) * 1000`,
      ),
      unit: 'dateTimeAsIso',
      width: 165,
    },
    { name: 'Builds', expr: shown(builds), unit: 'locale', decimals: 0, width: 75 },
    {
      name: 'First-pass rate',
      expr: shown(shareIfEnough(passed, builds)),
      unit: 'percentunit',
      decimals: 1,
      width: 150,
      look: barLook('green', 1),
    },
    {
      name: 'At least',
      expr: shown(wilson('lower', passed, builds)),
      unit: 'percentunit',
      decimals: 1,
      width: 80,
    },
    {
      name: 'At most',
      expr: shown(wilson('upper', passed, builds)),
      unit: 'percentunit',
      decimals: 1,
      width: 80,
    },
    {
      name: 'Verdict',
      expr: shown(
        verdict(
          { part: passed, whole: builds },
          { part: ofPrevious(passed), whole: ofPrevious(builds) },
          'more',
        ),
      ),
      unit: 'none',
      look: VERDICT_LOOK,
    },
  ],
  sortBy: 'First used',
})

const changeOf = (name: string, expr: string): Column => ({
  name,
  expr: shown(`(${expr}) / (${ofPrevious(expr)} > 0) - 1`),
  unit: 'percentunit',
  decimals: 0,
  width: 75,
  look: changeLook('down'),
})

const costs = table({
  title: 'What does each revision cost?',
  description:
    'Tokens per successful build (failures’ tokens included) and rework steps per build, with the change against the revision before. Less is better.',
  labels: [REVISION],
  columns: [
    { name: 'Tokens / success', expr: shown(perSuccess), unit: 'short', decimals: 1, width: 130 },
    changeOf('Change', perSuccess),
    { name: 'Fixes / build', expr: shown(reworkSteps), unit: 'none', decimals: 2, width: 105 },
    { ...changeOf('Change ', reworkSteps) },
  ],
  order: withVersion(`${FIRST_SEEN} and on (context_hash) (${count('builds', BY)})`),
})

const timeline = bars({
  title: 'Which revision was in use when',
  description:
    'Builds that closed, by the revision of GEMINI.md that they used. Purple marks: GEMINI.md changed.',
  unit: 'locale',
  decimals: 0,
  min: 0,
  queries: [
    {
      expr: `sum by (version) (${withVersion(count('builds', { ...BY, where: CONTEXT, window: BUCKET }))})`,
      legend: '{{version}}',
      interval: '1m',
    },
  ],
})

const errorMix = table({
  title: 'Error mix of each revision',
  description: 'Share of the verifications under a revision that failed with an error type.',
  labels: [REVISION, { label: 'error_type', name: 'Error type' }],
  columns: [
    {
      name: 'Share of verifications',
      expr: shown(
        `${failures({ by: ['context_hash', 'error_type'] })} / on (context_hash) group_left () (${verifications(BY)} > 0)`,
      ),
      unit: 'percentunit',
      decimals: 1,
    },
  ],
  sortBy: 'Revision',
})
  .transformations([
    { id: 'sortBy', options: { fields: {}, sort: [{ field: 'version' }] } },
    {
      id: 'groupingToMatrix',
      options: { columnField: 'error_type', rowField: 'version', valueField: 'Value', emptyValue: 'zero' },
    },
    { id: 'organize', options: { renameByName: { 'version\\error_type': 'Revision' } } },
  ])
  .unit('percentunit')
  .decimals(1)
  .min(0)
  .max(0.3)
  .overrideByRegexp('^(?!Revision$).*', [
    { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
    { id: 'color', value: { mode: 'continuous-YlRd' } },
  ])

const revisionsPerWeek =
  'count((max by (context_hash) (audit_context_first_seen_timestamp_seconds)) > (time() - 7 * 86400)) or vector(0)'

const churn = lines({
  title: 'Revisions a week against outcome',
  description:
    'Revisions first used in the seven days before each point (bars, right), and the first-pass rate of the builds of those seven days (line, left).',
  unit: 'percentunit',
  min: 0,
  max: 1,
  queries: [
    { expr: firstPassRate({ where: CONTEXT, window: '7d' }), legend: 'first-pass rate' },
    { expr: revisionsPerWeek, legend: 'revisions a week' },
  ],
})
  .overrideByName('first-pass rate', [{ id: 'color', value: { mode: 'fixed', fixedColor: 'green' } }])
  .overrideByName('revisions a week', [
    { id: 'color', value: { mode: 'fixed', fixedColor: 'purple' } },
    { id: 'unit', value: 'none' },
    { id: 'decimals', value: 0 },
    { id: 'min', value: 0 },
    { id: 'max', value: 10 },
    { id: 'custom.axisPlacement', value: 'right' },
    { id: 'custom.axisLabel', value: 'revisions a week' },
    { id: 'custom.lineWidth', value: 1 },
    { id: 'custom.fillOpacity', value: 25 },
    { id: 'custom.lineInterpolation', value: 'stepAfter' },
  ])

export const contextVolatility = (): Dashboard =>
  board({
    uid: 'audit-context-volatility',
    title: 'Audit · Context Volatility',
    description: 'How often GEMINI.md changes, and whether each revision was better than the one before.',
    variables: [contextHash()],
    from: 'now-30d',
    bands: [
      { height: 8, panels: [[24, passing]] },
      {
        height: 8,
        panels: [
          [12, costs],
          [12, timeline],
        ],
      },
      { height: 8, panels: [[24, errorMix]] },
      { height: 8, panels: [[24, churn]] },
    ],
  })
