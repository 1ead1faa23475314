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
import { bound, unlessFew, zScore, type Formula } from '../parts/formulas.ts'
import {
  BUCKET,
  count,
  FIRST_SEEN,
  ofPrevious,
  ratio,
  share,
  shareIfEnough,
  total,
  withVersion,
} from '../parts/promql.ts'
import { barLook, CHANGE_LOOK, kept, sorted, table, VERDICT_LOOK, type Column } from '../parts/tables.ts'
import { contextHash } from '../parts/variables.ts'

const CONTEXT = 'context_hash=~"$context"'
const BY = { by: ['context_hash'] } as const

const shown = (expression: string): string =>
  withVersion(`(${expression}) and on (context_hash) max by (context_hash) (audit_context_info{${CONTEXT}})`)

const builds = judged(BY)
const passed = `(${passedFirst(BY)} or ${builds} * 0)`
const closed = count('builds', BY)
const perSuccess = ratio(total('buildTokens', BY), succeeded(BY))
const reworkSteps = share(runs('rework', BY), closed)

const REVISION = { label: 'version', name: 'Revision', width: 75 } as const
const BEFORE =
  '“Before” is the part of the revision before that lies in this range; below 20 builds on either side there is no comparison.'

const passing = table({
  title: 'Does each revision pass more often than the one before?',
  description: `First-pass rate of the builds under each GEMINI.md, the newest first, with its 95 % interval (Wilson). The verdict compares with the revision before (two-proportion test at 95 %). ${BEFORE}`,
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
      look: barLook('green', 1),
    },
    {
      name: 'At least',
      formula: bound('lower', 'passed', 'Builds'),
      unit: 'percentunit',
      decimals: 1,
      width: 80,
    },
    {
      name: 'At most',
      formula: bound('upper', 'passed', 'Builds'),
      unit: 'percentunit',
      decimals: 1,
      width: 80,
    },
    {
      name: 'Verdict',
      formula: zScore(
        { part: 'passed', whole: 'Builds' },
        { part: 'passed before', whole: 'builds before' },
        'more',
      ),
      unit: 'none',
      width: 140,
      look: VERDICT_LOOK,
    },
  ],
  inputs: [
    { name: 'passed', expr: shown(passed) },
    { name: 'passed before', expr: shown(`${ofPrevious(passed)} or ${builds} * 0`) },
    { name: 'builds before', expr: shown(`${ofPrevious(builds)} or ${builds} * 0`) },
  ],
  keep: [{ column: 'Builds', above: 0 }],
  sortBy: ['-First used'],
})

const change = (name: string, now: Formula, before: Formula): Column => ({
  name,
  formula: unlessFew([[now, '/', before], '-', 1], 'Builds', 'builds before'),
  unit: 'percentunit',
  decimals: 0,
  width: 78,
  look: CHANGE_LOOK,
})

const costs = table({
  title: 'What does each revision cost?',
  description: `Tokens per successful build (failures’ tokens included) and rework steps per build, of the builds that closed, with the change against the revision before; less is better. Coloured from a tenth on: unlike the verdicts above, a change says nothing of chance. ${BEFORE}`,
  labels: [{ label: 'version', name: 'Revision', minWidth: 72 }],
  columns: [
    { name: 'Builds', expr: shown(closed), unit: 'locale', decimals: 0, width: 66 },
    { name: 'Tokens / success', expr: shown(perSuccess), unit: 'short', decimals: 1, width: 134 },
    change('Change', 'Tokens / success', 'tokens before'),
    { name: 'Fixes / build', expr: shown(reworkSteps), unit: 'none', decimals: 2, width: 102 },
    change('Change ', 'Fixes / build', 'fixes before'),
  ],
  inputs: [
    { name: 'builds before', expr: shown(`${ofPrevious(closed)} or ${closed} * 0`) },
    { name: 'tokens before', expr: shown(ofPrevious(perSuccess)) },
    { name: 'fixes before', expr: shown(ofPrevious(reworkSteps)) },
    { name: 'first used', expr: withVersion(`${FIRST_SEEN} and on (context_hash) (${closed})`) },
  ],
  keep: [{ column: 'Builds', above: 0 }],
  sortBy: ['-first used'],
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
      expr: `sum by (version) (${withVersion(count('builds', { ...BY, where: CONTEXT, window: BUCKET }))}) > 0`,
      legend: '{{version}}',
      interval: '1m',
    },
  ],
})

const failedBy = failures({ by: ['context_hash', 'error_type'] })
const verified = `(${verifications(BY)} > 0)`
const newest = `topk(10, ${FIRST_SEEN} and on (context_hash) ${verified})`

const errorMix = table({
  title: 'Error mix of each revision',
  description:
    'Share of the verifications under a revision that failed with an error type: a row for each type, a column for each of the ten newest revisions of this range, the newest first. A full bar is 30 %.',
  labels: [
    { label: 'version', name: 'version' },
    { label: 'error_type', name: 'error_type' },
  ],
  columns: [
    {
      name: 'Share of verifications',
      expr: shown(`${failedBy} / on (context_hash) group_left () ${verified}`),
      unit: 'percentunit',
    },
  ],
  inputs: [
    { name: 'first used', expr: shown(`${failedBy} * 0 + on (context_hash) group_left () ${newest}`) },
  ],
  sortBy: [],
})
  .transformations([
    { id: 'merge', options: {} },
    ...kept([{ column: 'Value #B', above: 0 }]),
    sorted('error_type'),
    sorted('Value #B', true),
    {
      id: 'groupingToMatrix',
      options: { columnField: 'version', rowField: 'error_type', valueField: 'Value #A', emptyValue: 'zero' },
    },
    { id: 'organize', options: { renameByName: { 'error_type\\version': 'Error type' } } },
  ])
  .unit('percentunit')
  .decimals(1)
  .overrideByName('Error type', [{ id: 'custom.width', value: 200 }])
  .overrideByRegexp('^(?!Error type$).*', [...barLook('red', 0.3), { id: 'custom.minWidth', value: 90 }])

/** A gap in the scrapes of less than an hour is none: the gauge stands still. */
const revisionsPerWeek =
  'count((max by (context_hash) (max_over_time(audit_context_first_seen_timestamp_seconds[1h]))) > (time() - 7 * 86400))'

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
          [14, costs],
          [10, timeline],
        ],
      },
      { height: 8, panels: [[24, errorMix]] },
      { height: 8, panels: [[24, churn]] },
    ],
  })
