import { bound, shareOf, verdict } from '../../parts/formulas.ts'
import { barLook, VERDICT_LOOK } from '../../parts/looks.ts'
import { countOf, enough, ifEnough, shareIfEnough } from '../../parts/promql.ts'
import { type Column, table, type TableSpec } from '../../parts/tables.ts'
import { VERDICT_EXPLAINED } from '../../parts/words.ts'
import {
  completionTokensPerBuild,
  costFactor,
  firstPasses,
  ofOthers,
  reworkSuccesses,
  type Sample,
} from './measures.ts'

/** The number of builds, the share of good ones, and its interval. */
const sampled = (title: string, { good, whole }: Sample): Column[] => [
  { name: 'Builds', expr: whole, unit: 'locale', decimals: 0, width: 70 },
  {
    name: title,
    expr: shareIfEnough(good, whole),
    unit: 'percentunit',
    decimals: 1,
    look: barLook('green', 1),
  },
  { name: '≥', formula: bound('lower', 'good', 'Builds'), unit: 'percentunit', decimals: 1, width: 76 },
  { name: '≤', formula: bound('upper', 'good', 'Builds'), unit: 'percentunit', decimals: 1, width: 76 },
]

/** The other prompt versions together: builds, rate, and the verdict against them. */
const againstOthers = ({ whole }: Sample): Column[] => [
  { name: 'Builds of others', expr: ofOthers(whole), unit: 'locale', decimals: 0, width: 120 },
  {
    name: 'Rate of others',
    formula: shareOf('good of others', 'Builds of others'),
    unit: 'percentunit',
    decimals: 1,
    width: 110,
  },
  {
    name: 'Against others',
    formula: verdict(
      { part: 'good', whole: 'Builds' },
      { part: 'good of others', whole: 'Builds of others' },
      'more',
      'comparisons',
    ),
    unit: 'none',
    width: 135,
    look: VERDICT_LOOK,
  },
]

const inputs = ({ good, whole }: Sample): NonNullable<TableSpec['inputs']> => [
  { name: 'good', expr: good },
  { name: 'good of others', expr: ofOthers(good) },
  {
    name: 'comparisons',
    expr: `${whole} * 0 + ${countOf(`(${enough(whole)}) and (${enough(ofOthers(whole))})`)}`,
  },
]

const completionTokens = (phase: string, { whole }: Sample): Column => ({
  name: 'Completion tokens',
  expr: ifEnough(completionTokensPerBuild(phase), whole),
  unit: 'short',
  decimals: 1,
  width: 148,
})

const LABELS = [{ label: 'instruction_version', name: 'Prompt version', minWidth: 120 }] as const
const EXPLAINED = `≥ and ≤ are the bounds of the 95 % interval (Wilson). Rates and averages need at least 20 builds. “Against others” compares the rate of a prompt version with that of all others together. ${VERDICT_EXPLAINED}`

const implementSample = firstPasses()
export const implementVersions = table({
  title: 'Implement prompt versions',
  description: `First-pass rate of the builds by the prompt version of the implement step, and completion tokens of that step per build. ${EXPLAINED}`,
  labels: LABELS,
  columns: [
    ...sampled('First-pass rate', implementSample),
    completionTokens('implement', implementSample),
    ...againstOthers(implementSample),
  ],
  inputs: inputs(implementSample),
  sortBy: ['-good', 'Prompt version'],
})

const fixSample = reworkSuccesses()
export const fixVersions = table({
  title: 'Fix prompt versions',
  description: `Share of the builds with fixes that succeeded, by the prompt version of the fix; rework cost factor, and completion tokens of all fixes per build. A build that used two versions counts for both. ${EXPLAINED}`,
  labels: LABELS,
  columns: [
    ...sampled('Rework success rate', fixSample),
    {
      name: 'Rework cost factor',
      expr: ifEnough(costFactor(), fixSample.whole),
      unit: 'none',
      decimals: 2,
      width: 145,
    },
    completionTokens('rework', fixSample),
    ...againstOthers(fixSample),
  ],
  inputs: inputs(fixSample),
  sortBy: ['-good', 'Prompt version'],
})
