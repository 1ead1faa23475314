import { bound, type Formula, shareOf, shareUnlessFew, verdict } from '../../parts/formulas.ts'
import { EMPTY } from '../../parts/empty.ts'
import { errorTypeColumn, revisionColumns } from '../../parts/label-columns.ts'
import { differs, verdictLook, WITHHELD_LOOK } from '../../parts/looks.ts'
import { failures, judged, validations } from '../../parts/measures.ts'
import { countOf, enough, FIRST_SEEN, ofPrevious, ofRevisions, withRevision } from '../../parts/promql.ts'
import { COMPARED, NEWEST } from '../../parts/selectors.ts'
import { type Column, table, type TableSpec } from '../../parts/tables.ts'
import { named } from '../../parts/named.ts'
import { VERDICT_EXPLAINED } from '../../parts/words.ts'

/** How many revisions the tables have at most: with 100 error types each they have 1,000 rows. */
export const MOST = 10

// Each row is a revision and an error type that occurred under it or under the revision before; a type that occurred
// under only one of the two counts as zero for the other. The queries give the counts, and Grafana calculates the rest.
const BY = { by: ['context_hash'], where: COMPARED } as const
const failed = failures({
  by: ['context_hash', 'error_type'],
  where: named('error_type', `${COMPARED},error_type=~"$error"`),
})
const failedBefore = ofPrevious(failed, ['error_type'])
const occurred = `((${failed}) or ${failedBefore})`
const validated = validations(BY)
const builds = judged(BY)
const forEachRow = (total: string): string => `${occurred} * 0 + on (context_hash) group_left () (${total})`

const row = (expression: string): string => withRevision(expression, NEWEST)
const before = (whole: string): string => row(forEachRow(`${ofPrevious(whole)} or ${whole} * 0`))

/** The number of rows with enough builds on both sides: how many verdicts the table can give. */
const comparisons = countOf(
  `${ofRevisions(occurred, NEWEST)} and on (context_hash) (${enough(builds)}) and on (context_hash) (${enough(ofPrevious(builds))})`,
)

const inputs: NonNullable<TableSpec['inputs']> = [
  { name: 'failed before', expr: row(`${failedBefore} or (${failed}) * 0`) },
  { name: 'failed after', expr: row(`(${failed}) or ${failedBefore} * 0`) },
  { name: 'validations before', expr: before(validated) },
  { name: 'validations after', expr: row(forEachRow(validated)) },
  { name: 'comparisons', expr: row(`${occurred} * 0 + ${comparisons}`) },
  { name: 'first used', expr: row(forEachRow(FIRST_SEEN)) },
]

const rateBefore = shareOf('failed before', 'validations before')
const rateAfter = shareOf('failed after', 'validations after')
// The sample is the builds: validations of one build are not independent of each other.
const sampleBefore = {
  part: [rateBefore, '*', 'Judged builds before'],
  whole: 'Judged builds before',
} as const
const sampleAfter = { part: [rateAfter, '*', 'Judged builds after'], whole: 'Judged builds after' } as const
const change = verdict(sampleAfter, sampleBefore, 'less', 'comparisons')

const percent = (name: string, formula: Formula, width = 56): Column => ({
  name,
  formula,
  unit: 'percentunit',
  decimals: 1,
  width,
})
/** The share of failed validations, withheld if there are too few builds. */
const rate = (name: string, failedOnes: string, whole: string, sample: string): Column => ({
  ...percent(name, shareUnlessFew(failedOnes, whole, sample), 62),
  look: WITHHELD_LOOK,
})
const number = (name: string, expr: string, width: number): Column => ({
  name,
  expr,
  unit: 'locale',
  decimals: 0,
  width,
})

const BUILDS_BEFORE = number('Judged builds before', before(builds), 62)
const BUILDS_AFTER = number('Judged builds after', row(forEachRow(builds)), 62)
const VERDICT: Column = {
  name: 'Verdict',
  formula: change,
  unit: 'none',
  width: 122,
  look: verdictLook('none before'),
}
/** What the verdict compares. */
const RATES = [
  rate('Error rate before', 'failed before', 'validations before', 'Judged builds before'),
  rate('Error rate after', 'failed after', 'validations after', 'Judged builds after'),
  BUILDS_BEFORE,
  BUILDS_AFTER,
]
const LABELS = [...revisionColumns(), errorTypeColumn(190)]
const NEWEST_FIRST = ['-first used', 'Error type']

const EXPLAINED = `Error rate: the share of the validations that failed with an error type, under a revision (after) and under the previous one (before), as far as it is in this time range. The ten newest of the selected revisions that have builds in it; select others above. ${VERDICT_EXPLAINED}`

export const differences = table({
  title: 'Error types with a better or worse rate than before',
  description: `${EXPLAINED} Empty: no error type is better or worse.`,
  labels: LABELS,
  columns: [{ ...VERDICT, width: 90 }, ...RATES],
  inputs,
  hidden: new Map([['size of the verdict', { apply: 'abs', to: change }]]),
  filters: [differs('size of the verdict')],
  empty: EMPTY.differences,
  sortBy: NEWEST_FIRST,
})

export const everyChange = table({
  title: 'Error rates before and after each revision',
  description: `${EXPLAINED} ≥ and ≤ are the bounds of the 95 % interval of each rate (Wilson, with builds as the sample).`,
  labels: LABELS,
  columns: [
    VERDICT,
    ...RATES,
    percent('Before ≥', bound('lower', sampleBefore.part, sampleBefore.whole)),
    percent('Before ≤', bound('upper', sampleBefore.part, sampleBefore.whole)),
    percent('After ≥', bound('lower', sampleAfter.part, sampleAfter.whole)),
    percent('After ≤', bound('upper', sampleAfter.part, sampleAfter.whole)),
  ],
  inputs,
  // A revision without builds in this time range has nothing to compare.
  filters: [{ column: 'Judged builds after', above: 0 }],
  empty: EMPTY.revisions,
  sortBy: NEWEST_FIRST,
})
