import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { failures, verifications } from '../parts/measures.ts'
import { fixedColor, lines, ranking } from '../parts/panels.ts'
import {
  count,
  ofPrevious,
  share,
  VERDICT,
  verdict,
  WINDOW,
  wilson,
  withVersion,
  FIRST_SEEN,
} from '../parts/promql.ts'
import { table, VERDICT_LOOK, type Column } from '../parts/tables.ts'
import { contextHash, errorType, movingWindow } from '../parts/variables.ts'

const CONTEXT = 'context_hash=~"$context"'
const ERRORS = `${CONTEXT},error_type=~"$error"`
const BY = ['context_hash', 'error_type']

// By revision and error type. A type that one of two neighbours never met counts as zero there.
const failedNow = failures({ by: BY, where: 'error_type=~"$error"' })
const failedBefore = ofPrevious(failedNow, ['error_type'])
const failed = `(${failedNow} or ${failedBefore} * 0)`
const failedPreviously = `(${failedBefore} or ${failedNow} * 0)`
const spread = (total: string): string => `(${failed} * 0 + on (context_hash) group_left () ${total})`
const verified = spread(verifications({ by: ['context_hash'] }))
const verifiedPreviously = spread(ofPrevious(verifications({ by: ['context_hash'] })))

/** Only the chosen revisions, with their version. */
const shown = (expression: string): string =>
  withVersion(`(${expression}) and on (context_hash) max by (context_hash) (audit_context_info{${CONTEXT}})`)

const change = verdict(
  { part: failed, whole: verified },
  { part: failedPreviously, whole: verifiedPreviously },
  'less',
)

const percent = (name: string, expr: string, width = 68): Column => ({
  name,
  expr: shown(expr),
  unit: 'percentunit',
  decimals: 1,
  width,
})
const number = (name: string, expr: string, width = 90): Column => ({
  name,
  expr: shown(expr),
  unit: 'locale',
  decimals: 0,
  width,
})
const verdictColumn = (expr: string): Column => ({
  name: 'Verdict',
  expr: shown(expr),
  unit: 'none',
  look: VERDICT_LOOK,
})

const only = (rows: string, expression: string): string => `(${expression}) and (${rows})`
/** Exactly -1 or 1: at the ends of the scale. */
const clear = `((${change}) == ${VERDICT.worse} or (${change}) == ${VERDICT.better})`

const clearChanges = table({
  title: 'What a revision of GEMINI.md clearly changed',
  description:
    'Error types whose share of the verifications changed with a revision by more than chance explains (two-proportion test at 95 %, at least 20 verifications on both sides). Empty: no revision of this range made a clear difference.',
  labels: [
    { label: 'version', name: 'Revision', width: 75 },
    { label: 'error_type', name: 'Error type', minWidth: 186 },
  ],
  columns: [
    percent('Before', only(clear, share(failedPreviously, verifiedPreviously))),
    percent('After', only(clear, share(failed, verified))),
    verdictColumn(clear),
  ],
  order: shown(`(${only(clear, failed)}) * 0 + on (context_hash) group_left () ${FIRST_SEEN}`),
})

const everyChange = table({
  title: 'Before and after each revision, by error type',
  description:
    'Share of the verifications that fail with an error type, under a revision (after) and under the one before it, of n verifications; ≥ and ≤ are the ends of the 95 % intervals (Wilson). Verifications of the same build are not quite independent, so the intervals are slightly too narrow.',
  labels: [
    { label: 'version', name: 'Revision', width: 75 },
    { label: 'error_type', name: 'Error type', minWidth: 186 },
  ],
  columns: [
    number('n before', verifiedPreviously, 75),
    percent('Before', share(failedPreviously, verifiedPreviously)),
    percent('before ≥', wilson('lower', failedPreviously, verifiedPreviously), 78),
    percent('before ≤', wilson('upper', failedPreviously, verifiedPreviously), 78),
    number('n', verified, 55),
    percent('After', share(failed, verified)),
    percent('after ≥', wilson('lower', failed, verified), 78),
    percent('after ≤', wilson('upper', failed, verified), 78),
    verdictColumn(change),
  ],
  order: shown(`${failed} * 0 + on (context_hash) group_left () ${FIRST_SEEN}`),
})

const overTime = lines({
  title: 'Failing verifications for every 100 builds',
  description:
    'Failing verifications by error type for every 100 builds that closed, looking back as far as chosen above. A build can fail several times. Purple marks: GEMINI.md changed.',
  unit: 'none',
  decimals: 0,
  min: 0,
  queries: [
    {
      expr: `100 * ${failures({ by: ['error_type'], where: ERRORS, window: WINDOW })} / on () group_left () (${count(
        'builds',
        { where: CONTEXT, window: WINDOW },
      )} > 0)`,
      legend: '{{error_type}}',
    },
  ],
})

const frequency = ranking({
  title: 'Failures for every 100 builds',
  description: 'Failing verifications by error type for every 100 builds that closed in this range.',
  unit: 'none',
  decimals: 1,
  queries: [
    {
      expr: `sort_desc(100 * ${failures({ by: ['error_type'], where: ERRORS })} / on () group_left () (${count(
        'builds',
        {
          where: CONTEXT,
        },
      )} > 0))`,
      legend: '{{error_type}}',
    },
  ],
}).colorScheme(fixedColor('red'))

const checks = ranking({
  title: 'Which check fails',
  description:
    'Failing verifications by the command that failed, which is the first word of the error type: TSC, ESLINT, JEST, NPM, …',
  unit: 'locale',
  decimals: 0,
  queries: [
    {
      expr: `sort_desc(sum by (check) (label_replace(${failures({
        by: ['error_type'],
        where: ERRORS,
      })}, "check", "$1", "error_type", "([^_]+).*")) > 0)`,
      legend: '{{check}}',
    },
  ],
}).colorScheme(fixedColor('orange'))

export const constraintEffectiveness = (): Dashboard =>
  board({
    uid: 'audit-constraint-effectiveness',
    title: 'Audit · Constraint Effectiveness',
    description: 'Which errors come up, and whether a rule added to GEMINI.md made them rarer.',
    variables: [contextHash(), errorType(), movingWindow()],
    bands: [
      {
        height: 8,
        panels: [
          [12, clearChanges],
          [12, overTime],
        ],
      },
      {
        height: 7,
        panels: [
          [12, frequency],
          [12, checks],
        ],
      },
      { height: 12, panels: [[24, everyChange]] },
    ],
  })
