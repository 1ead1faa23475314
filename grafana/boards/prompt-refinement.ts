import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { fixedColor, lines, ranking } from '../parts/panels.ts'
import { bound, zScore } from '../parts/formulas.ts'
import { count, ifEnough, ratio, shareIfEnough, total, WINDOW, share } from '../parts/promql.ts'
import { barLook, table, VERDICT_LOOK, type Column } from '../parts/tables.ts'
import { movingWindow } from '../parts/variables.ts'

const BY = ['instruction_version']
const outcomes = (phase: string, outcome: string, by: readonly string[] = BY, window?: string): string =>
  count('instructionBuilds', {
    by,
    where: `phase="${phase}",${outcome}`,
    ...(window !== undefined && { window }),
  })

const JUDGED = 'outcome!="abandoned"'
const FIRST = 'outcome="first_pass"'
const SAVED = 'outcome="after_rework"'
const implement = {
  judged: outcomes('implement', JUDGED),
  first: `(${outcomes('implement', FIRST)} or ${outcomes('implement', JUDGED)} * 0)`,
}
const fix = {
  judged: outcomes('rework', JUDGED),
  saved: `(${outcomes('rework', SAVED)} or ${outcomes('rework', JUDGED)} * 0)`,
}

/** Of all the other wordings together. */
const ofOthers = (whole: string): string => `sum(${whole}) - on () group_right () (${whole})`

const completionPerBuild = (phase: string): string =>
  ratio(
    total('instructionTokens', { by: BY, where: `phase="${phase}",type="completion"` }),
    count('instructionBuilds', { by: BY, where: `phase="${phase}"` }),
  )
const costFactor = (window?: string): string =>
  ratio(
    total('instructionReworkCompletionTokens', { by: BY, ...(window !== undefined && { window }) }),
    total('instructionReworkErrorLogChars', { by: BY, ...(window !== undefined && { window }) }),
  )

/** What both tables show of a wording: how many builds, the share that went well, and how sure that is. */
const sampled = (good: string, goodExpr: string, whole: string): Column[] => [
  { name: 'Builds', expr: whole, unit: 'locale', decimals: 0, width: 70 },
  {
    name: good,
    expr: shareIfEnough(goodExpr, whole),
    unit: 'percentunit',
    decimals: 1,
    look: barLook('green', 1),
  },
  {
    name: 'At least',
    formula: bound('lower', 'good', 'Builds'),
    unit: 'percentunit',
    decimals: 1,
    width: 76,
  },
  { name: 'At most', formula: bound('upper', 'good', 'Builds'), unit: 'percentunit', decimals: 1, width: 76 },
]
const against = (good: string, whole: string) => ({
  column: {
    name: 'Against others',
    formula: zScore({ part: 'good', whole: 'Builds' }, { part: 'good of others', whole: 'others' }, 'more'),
    unit: 'none',
    width: 135,
    look: VERDICT_LOOK,
  },
  inputs: [
    { name: 'good', expr: good },
    { name: 'good of others', expr: ofOthers(good) },
    { name: 'others', expr: ofOthers(whole) },
  ],
})

const FEW = 'Below 20 builds there is neither a rate nor an average to compare.'

const firstPasses = against(implement.first, implement.judged)
const implementTable = table({
  title: 'Instructions of the implement step, compared',
  description: `First-pass rate of the builds that used each wording, with its 95 % interval (Wilson), and the completion tokens of the implement step for each build. The verdict compares the rate of a wording with that of all others together. ${FEW}`,
  labels: [{ label: 'instruction_version', name: 'Instruction', minWidth: 120 }],
  columns: [
    ...sampled('First-pass rate', implement.first, implement.judged),
    {
      name: 'Completion tokens',
      expr: ifEnough(completionPerBuild('implement'), implement.judged),
      unit: 'short',
      decimals: 1,
      width: 148,
    },
    firstPasses.column,
  ],
  inputs: firstPasses.inputs,
  sortBy: ['-good', 'Instruction'],
})

const saves = against(fix.saved, fix.judged)
const fixTable = table({
  title: 'Fix prompts, compared',
  description: `Of the builds that needed fixes, those that succeeded after all, by the wording of the fix prompt, with the 95 % interval (Wilson); the rework cost factor and the completion tokens of all fixes of a build. A build that fixed with two wordings counts for both. ${FEW}`,
  labels: [{ label: 'instruction_version', name: 'Fix prompt', minWidth: 120 }],
  columns: [
    ...sampled('Saved by fixes', fix.saved, fix.judged),
    {
      name: 'Cost factor',
      expr: ifEnough(costFactor(), fix.judged),
      unit: 'none',
      decimals: 2,
      width: 95,
    },
    {
      name: 'Completion tokens',
      expr: ifEnough(completionPerBuild('rework'), fix.judged),
      unit: 'short',
      decimals: 1,
      width: 148,
    },
    saves.column,
  ],
  inputs: saves.inputs,
  sortBy: ['-good', 'Fix prompt'],
})

const firstPassOverTime = lines({
  title: 'First-pass rate by instruction',
  description:
    'Of the builds that used each wording in the implement step, looking back as far as chosen above.',
  unit: 'percentunit',
  min: 0,
  max: 1,
  queries: [
    {
      expr: share(outcomes('implement', FIRST, BY, WINDOW), outcomes('implement', JUDGED, BY, WINDOW)),
      legend: '{{instruction_version}}',
    },
  ],
})

const factorOverTime = lines({
  title: 'Rework cost factor by fix prompt',
  description:
    'Completion tokens of fixes for each character of error log, by the wording of the fix prompt, looking back as far as chosen above. Lower is better.',
  unit: 'none',
  decimals: 2,
  min: 0,
  queries: [{ expr: costFactor(WINDOW), legend: '{{instruction_version}}' }],
})

const factors = ranking({
  title: 'Rework cost factor by fix prompt, whole range',
  description:
    'Completion tokens of fixes for each character of error log; the fix prompts that at least 20 builds used.',
  unit: 'none',
  decimals: 2,
  queries: [{ expr: `sort_desc(${ifEnough(costFactor(), fix.judged)})`, legend: '{{instruction_version}}' }],
}).colorScheme(fixedColor('orange'))

const completions = ranking({
  title: 'Completion tokens of the implement step, by instruction',
  description: 'Average for each build that used the wording; the wordings that at least 20 builds used.',
  unit: 'short',
  decimals: 1,
  queries: [
    {
      expr: `sort_desc(${ifEnough(completionPerBuild('implement'), implement.judged)})`,
      legend: '{{instruction_version}}',
    },
  ],
})

export const promptRefinement = (): Dashboard =>
  board({
    uid: 'audit-prompt-refinement',
    title: 'Audit · Prompt Refinement',
    description:
      'Which wording of an instruction or fix prompt does better, and whether there are enough builds to say so.',
    variables: [movingWindow()],
    bands: [
      { height: 5, panels: [[24, implementTable]] },
      { height: 6, panels: [[24, fixTable]] },
      {
        height: 8,
        panels: [
          [12, firstPassOverTime],
          [12, factorOverTime],
        ],
      },
      {
        height: 6,
        panels: [
          [12, completions],
          [12, factors],
        ],
      },
    ],
  })
