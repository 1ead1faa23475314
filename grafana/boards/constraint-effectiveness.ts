import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { bound, type Formula, shareOf, zScore } from '../parts/formulas.ts'
import { failures, verifications } from '../parts/measures.ts'
import { fixedColor, lines, ranking } from '../parts/panels.ts'
import { count, ofPrevious, WINDOW, withVersion, FIRST_SEEN } from '../parts/promql.ts'
import { clearlyDifferent, table, VERDICT_LOOK, type Column } from '../parts/tables.ts'
import { contextHash, errorType, movingWindow } from '../parts/variables.ts'

const CONTEXT = 'context_hash=~"$context"'
const ERRORS = `${CONTEXT},error_type=~"$error"`

// By revision and error type: what failed under a revision or under the one before it. A type that only one of the
// two met counts as zero for the other. Each sum is asked for as seldom as can be, and the rest is calculated from
// the four numbers: every one of them reads all samples of the range.
const failed = `${failures({ by: ['context_hash', 'error_type'], where: 'error_type=~"$error"' })} > 0`
const failedBefore = ofPrevious(failed, ['error_type'])
const met = `((${failed}) or ${failedBefore})`
const verified = verifications({ by: ['context_hash'] })
const forEach = (total: string): string => `${met} * 0 + on (context_hash) group_left () (${total})`

/** Only the chosen revisions, with their version. */
const shown = (expression: string): string =>
  withVersion(`(${expression}) and on (context_hash) max by (context_hash) (audit_context_info{${CONTEXT}})`)

const counts = [
  { name: 'x before', expr: shown(`${failedBefore} or (${failed}) * 0`) },
  { name: 'x after', expr: shown(`(${failed}) or ${failedBefore} * 0`) },
  { name: 'first used', expr: shown(forEach(FIRST_SEEN)) },
]
const verifiedBefore = shown(forEach(`${ofPrevious(verified)} or ${verified} * 0`))
const verifiedAfter = shown(forEach(verified))

const change = zScore({ part: 'x after', whole: 'n after' }, { part: 'x before', whole: 'n before' }, 'less')
/** A revision that was not used in this range has nothing to compare; the newest comes first. */
const USED = { column: 'n after', above: 0 }
const NEWEST_FIRST = ['-first used', 'Error type']

const percent = (name: string, formula: Formula, width = 62): Column => ({
  name,
  formula,
  unit: 'percentunit',
  decimals: 1,
  width,
})
const number = (name: string, expr: string, width: number): Column => ({
  name,
  expr,
  unit: 'locale',
  decimals: 0,
  width,
})

const before = shareOf('x before', 'n before')
const after = shareOf('x after', 'n after')
const LABELS = [
  { label: 'version', name: 'Revision', width: 74 },
  { label: 'error_type', name: 'Error type', minWidth: 186 },
] as const
const VERDICT: Column = { name: 'Verdict', formula: change, unit: 'none', width: 135, look: VERDICT_LOOK }

const clearChanges = table({
  title: 'What a revision of GEMINI.md clearly changed',
  description:
    'Error types whose share of the verifications changed with a revision by more than chance explains (two-proportion test at 95 %, at least 20 verifications on both sides). “Before” is the revision before, as far as it was used in this range. Empty: no revision of this range made a clear difference.',
  labels: LABELS,
  columns: [percent('Before', before, 68), percent('After', after, 62), { ...VERDICT, width: 90 }],
  inputs: [...counts, { name: 'n before', expr: verifiedBefore }, { name: 'n after', expr: verifiedAfter }],
  hidden: new Map([['size of the change', { apply: 'abs', to: change }]]),
  keep: [clearlyDifferent('size of the change')],
  sortBy: NEWEST_FIRST,
})

const everyChange = table({
  title: 'Before and after each revision, by error type',
  description:
    'Share of the verifications that fail with an error type, under a revision (after) and under the one before it, of n verifications; ≥ and ≤ are the ends of the 95 % intervals (Wilson). “Before” is the part of the revision before that lies in this range: look back further to see all of it. Verifications of the same build are not quite independent, so the intervals are slightly too narrow.',
  labels: LABELS,
  columns: [
    number('n before', verifiedBefore, 76),
    percent('Before', before, 66),
    percent('≥', bound('lower', 'x before', 'n before')),
    percent('≤', bound('upper', 'x before', 'n before')),
    number('n after', verifiedAfter, 64),
    percent('After', after),
    percent('≥ ', bound('lower', 'x after', 'n after')),
    percent('≤ ', bound('upper', 'x after', 'n after')),
    VERDICT,
  ],
  inputs: counts,
  keep: [USED],
  sortBy: NEWEST_FIRST,
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
    // Revisions come every few days or weeks, and each needs the one before it.
    from: 'now-30d',
    bands: [
      {
        height: 10,
        panels: [
          [14, clearChanges],
          [10, overTime],
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
