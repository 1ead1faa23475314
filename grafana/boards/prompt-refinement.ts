import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { fixedColor, lines, ranking } from '../parts/panels.ts'
import { count, ratio, shareIfEnough, total, verdict, WINDOW, wilson, share } from '../parts/promql.ts'
import { barLook, table, VERDICT_LOOK } from '../parts/tables.ts'
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

/** A wording against all the others together. */
const others = (part: string, whole: string) => ({
  part: `(sum(${part}) - on () group_right () (${part}))`,
  whole: `(sum(${whole}) - on () group_right () (${whole}))`,
})

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

const implementTable = table({
  title: 'Instructions of the implement step, compared',
  description:
    'First-pass rate of the builds that used each wording, with its 95 % interval (Wilson), and the completion tokens of the implement step for each build. The verdict compares a wording with all others together; below 20 builds there is none.',
  labels: [{ label: 'instruction_version', name: 'Instruction' }],
  columns: [
    { name: 'Builds', expr: implement.judged, unit: 'locale', decimals: 0, width: 80 },
    {
      name: 'First-pass rate',
      expr: shareIfEnough(implement.first, implement.judged),
      unit: 'percentunit',
      decimals: 1,
      width: 170,
      look: barLook('green', 1),
    },
    {
      name: 'At least',
      expr: wilson('lower', implement.first, implement.judged),
      unit: 'percentunit',
      decimals: 1,
      width: 85,
    },
    {
      name: 'At most',
      expr: wilson('upper', implement.first, implement.judged),
      unit: 'percentunit',
      decimals: 1,
      width: 85,
    },
    {
      name: 'Completion tokens',
      expr: completionPerBuild('implement'),
      unit: 'short',
      decimals: 1,
      width: 145,
    },
    {
      name: 'Against the others',
      expr: verdict(
        { part: implement.first, whole: implement.judged },
        others(implement.first, implement.judged),
        'more',
      ),
      unit: 'none',
      width: 150,
      look: VERDICT_LOOK,
    },
  ],
  sortBy: '-At least',
})

const fixTable = table({
  title: 'Fix prompts, compared',
  description:
    'Of the builds that needed fixes, those that succeeded after all, by the wording of the fix prompt, with the 95 % interval (Wilson); the rework cost factor and the completion tokens of all fixes of a build. A build that fixed with two wordings counts for both.',
  labels: [{ label: 'instruction_version', name: 'Fix prompt' }],
  columns: [
    { name: 'Builds', expr: fix.judged, unit: 'locale', decimals: 0, width: 80 },
    {
      name: 'Saved by fixes',
      expr: shareIfEnough(fix.saved, fix.judged),
      unit: 'percentunit',
      decimals: 1,
      width: 170,
      look: barLook('green', 1),
    },
    {
      name: 'At least',
      expr: wilson('lower', fix.saved, fix.judged),
      unit: 'percentunit',
      decimals: 1,
      width: 85,
    },
    {
      name: 'At most',
      expr: wilson('upper', fix.saved, fix.judged),
      unit: 'percentunit',
      decimals: 1,
      width: 85,
    },
    { name: 'Cost factor', expr: costFactor(), unit: 'none', decimals: 2, width: 100 },
    { name: 'Completion tokens', expr: completionPerBuild('rework'), unit: 'short', decimals: 1, width: 145 },
    {
      name: 'Against the others',
      expr: verdict({ part: fix.saved, whole: fix.judged }, others(fix.saved, fix.judged), 'more'),
      unit: 'none',
      width: 150,
      look: VERDICT_LOOK,
    },
  ],
  sortBy: '-At least',
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
  description: 'Completion tokens of fixes for each character of error log.',
  unit: 'none',
  decimals: 2,
  queries: [{ expr: `sort_desc(${costFactor()})`, legend: '{{instruction_version}}' }],
}).colorScheme(fixedColor('orange'))

const completions = ranking({
  title: 'Completion tokens of the implement step, by instruction',
  description: 'Average for each build that used the wording.',
  unit: 'short',
  decimals: 1,
  queries: [{ expr: `sort_desc(${completionPerBuild('implement')})`, legend: '{{instruction_version}}' }],
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
