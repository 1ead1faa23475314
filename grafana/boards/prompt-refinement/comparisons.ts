import {
  bound,
  type Formula,
  isFew,
  shareUnlessFew,
  TOO_FEW,
  unlessFew,
  verdict,
} from '../../parts/formulas.ts'
import { promptVersionColumn } from '../../parts/label-columns.ts'
import { verdictLook, WITHHELD_LOOK } from '../../parts/looks.ts'
import { countOf, enough } from '../../parts/promql.ts'
import { type Column, table, type TableSpec } from '../../parts/tables.ts'
import { VERDICT_EXPLAINED } from '../../parts/words.ts'
import {
  completionTokensPerBuild,
  costFactor,
  firstPasses,
  reworkSuccesses,
  type Sample,
} from './measures.ts'

/** The number of builds, the share of good ones, and its interval. */
const sampled = (title: string, { whole }: Sample): Column[] => [
  { name: 'Judged builds', expr: whole, unit: 'locale', decimals: 0, width: 66 },
  {
    name: title,
    formula: shareUnlessFew('good', 'Judged builds'),
    unit: 'percentunit',
    decimals: 1,
    width: 82,
    look: WITHHELD_LOOK,
  },
  {
    name: '≥',
    formula: bound('lower', 'good', 'Judged builds'),
    unit: 'percentunit',
    decimals: 1,
    width: 60,
  },
  {
    name: '≤',
    formula: bound('upper', 'good', 'Judged builds'),
    unit: 'percentunit',
    decimals: 1,
    width: 60,
  },
]

const AGAINST_OTHERS = verdict(
  { part: 'good', whole: 'Judged builds' },
  { part: 'good of others', whole: 'Judged builds of others' },
  'more',
  'comparisons',
)
/** The best prompt version first; those of too few builds, whose verdict is `TOO_FEW` or twice that, last. */
const RANK: Formula = [AGAINST_OTHERS, '-', [isFew('Judged builds'), '*', 4 * TOO_FEW]]
const BEST_FIRST = { hidden: new Map([['rank', RANK]]), sortBy: ['-rank', '-good', 'Prompt version'] }

/** The other prompt versions together: builds, rate, and the verdict against them. */
const againstOthers = ({ others }: Sample): Column[] => [
  {
    name: 'Against others',
    formula: AGAINST_OTHERS,
    unit: 'none',
    width: 124,
    look: verdictLook('no other version'),
  },
  { name: 'Judged builds of others', expr: others.whole, unit: 'locale', decimals: 0, width: 74 },
  {
    name: 'Rate of others',
    formula: shareUnlessFew('good of others', 'Judged builds of others'),
    unit: 'percentunit',
    decimals: 1,
    width: 70,
    look: WITHHELD_LOOK,
  },
]

const inputs = ({ good, whole, others }: Sample): NonNullable<TableSpec['inputs']> => [
  { name: 'good', expr: good },
  { name: 'good of others', expr: others.good },
  {
    name: 'comparisons',
    expr: `${whole} * 0 + ${countOf(`(${enough(whole)}) and (${enough(others.whole)})`)}`,
  },
]

/** An average, withheld below the minimum of builds; its value is in the input of this name. */
const withheld = (
  name: string,
  input: string,
  style: Pick<Column, 'unit' | 'decimals' | 'width'>,
): Column => ({
  name,
  formula: unlessFew(input, 'Judged builds'),
  ...style,
  look: WITHHELD_LOOK,
})
const completionTokens = withheld('Completion tokens per closed build', 'tokens per build', {
  unit: 'short',
  decimals: 1,
  width: 96,
})

const LABELS = [promptVersionColumn(140)]
const EXPLAINED = `≥ and ≤ are the bounds of the 95 % interval (Wilson). The best against the others comes first. Rates and averages need at least 20 judged builds (those with a verdict). “Against others” compares the rate of a prompt version with that of all others together, selected above or not. Builds of prompt versions beyond the maximum of the exporter (“_other”) are among the others. ${VERDICT_EXPLAINED}`

const implementSample = firstPasses()
export const implementVersions = table({
  title: 'Implement prompt versions',
  description: `First-pass rate of the judged builds by the prompt version of the implement step, and completion tokens of that step per build. ${EXPLAINED}`,
  labels: LABELS,
  columns: [
    ...sampled('First-pass rate', implementSample),
    ...againstOthers(implementSample),
    completionTokens,
  ],
  inputs: [
    ...inputs(implementSample),
    {
      name: 'tokens per build',
      expr: `${completionTokensPerBuild('implement')} and (${implementSample.whole})`,
    },
  ],
  ...BEST_FIRST,
})

const fixSample = reworkSuccesses()
export const fixVersions = table({
  title: 'Fix prompt versions',
  description: `Share of the judged builds with fixes that succeeded, by the prompt version of the fix; rework cost factor, and completion tokens of all fixes per build. A build that used two versions counts for both. ${EXPLAINED}`,
  labels: LABELS,
  columns: [
    ...sampled('Rework success rate', fixSample),
    ...againstOthers(fixSample),
    withheld('Rework cost factor', 'factor', { unit: 'none', decimals: 2, width: 80 }),
    completionTokens,
  ],
  inputs: [
    ...inputs(fixSample),
    { name: 'tokens per build', expr: `${completionTokensPerBuild('rework')} and (${fixSample.whole})` },
    { name: 'factor', expr: `${costFactor()} and (${fixSample.whole})` },
  ],
  ...BEST_FIRST,
})
