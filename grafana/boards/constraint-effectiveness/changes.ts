import { bound, type Formula, shareOf, zScore } from '../../parts/formulas.ts'
import { differs, VERDICT_LOOK } from '../../parts/looks.ts'
import { failures, validations } from '../../parts/measures.ts'
import { FIRST_SEEN, ofPrevious, withVersion } from '../../parts/promql.ts'
import { type Column, table } from '../../parts/tables.ts'

const CONTEXT = 'context_hash=~"$context"'

// Each row is a revision and an error type that occurred under it or under the revision before; a type that occurred
// under only one of the two counts as zero for the other. Every sum reads all samples of the range, so the queries
// give the four counts, and Grafana calculates the rest.
const failed = `${failures({ by: ['context_hash', 'error_type'], where: 'error_type=~"$error"' })} > 0`
const failedBefore = ofPrevious(failed, ['error_type'])
const occurred = `((${failed}) or ${failedBefore})`
const verified = validations({ by: ['context_hash'] })
const forEachRow = (total: string): string => `${occurred} * 0 + on (context_hash) group_left () (${total})`

/** Only the selected revisions, with their version. */
const selected = (expression: string): string =>
  withVersion(`(${expression}) and on (context_hash) max by (context_hash) (audit_context_info{${CONTEXT}})`)

const counts = [
  { name: 'x before', expr: selected(`${failedBefore} or (${failed}) * 0`) },
  { name: 'x after', expr: selected(`(${failed}) or ${failedBefore} * 0`) },
  { name: 'first used', expr: selected(forEachRow(FIRST_SEEN)) },
]
const verifiedBefore = selected(forEachRow(`${ofPrevious(verified)} or ${verified} * 0`))
const verifiedAfter = selected(forEachRow(verified))

const change = zScore({ part: 'x after', whole: 'n after' }, { part: 'x before', whole: 'n before' }, 'less')
/** A revision without validations in this time range has nothing to compare. */
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

export const clearChanges = table({
  title: 'Error rates that changed with a revision',
  description:
    'Error types with a different share of the validations than under the previous revision (two-proportion z-test at 95 %, at least 20 validations on both sides). “Before” is the part of the previous revision that is in this time range. Empty: no revision in this time range differs from its predecessor.',
  labels: LABELS,
  columns: [percent('Before', before, 68), percent('After', after, 62), { ...VERDICT, width: 90 }],
  inputs: [...counts, { name: 'n before', expr: verifiedBefore }, { name: 'n after', expr: verifiedAfter }],
  hidden: new Map([['size of the change', { apply: 'abs', to: change }]]),
  filters: [differs('size of the change')],
  sortBy: NEWEST_FIRST,
})

export const everyChange = table({
  title: 'Error rates before and after each revision',
  description:
    'Share of the validations that failed with an error type, under a revision (after) and under the previous one (before), with n validations each; ≥ and ≤ are the bounds of the 95 % interval (Wilson). “Before” is the part of the previous revision that is in this time range: select a longer range to include all of it. Validations of one build are not independent, so the intervals are slightly too narrow.',
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
  filters: [USED],
  sortBy: NEWEST_FIRST,
})
