import { EMPTY } from '../parts/empty.ts'
import { COLORS } from '../parts/colors.ts'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { fixedColor, lines, ranking } from '../parts/panels.ts'
import { ifEnough, share, WINDOW } from '../parts/promql.ts'
import { movingWindow } from '../parts/variables.ts'
import { fixVersions, implementVersions } from './prompt-refinement/comparisons.ts'
import {
  completionTokensPerBuild,
  costFactor,
  firstPasses,
  reworkSuccesses,
} from './prompt-refinement/measures.ts'

const VERSION = '{{instruction_version}}'

const passes = firstPasses(WINDOW)
const firstPassOverTime = lines({
  title: 'First-pass rate by implement prompt version over time',
  description:
    'Share of the builds with a verdict that passed their first verification, by the prompt version of the implement step, over the window set above.',
  unit: 'percentunit',
  min: 0,
  max: 1,
  queries: [{ expr: share(passes.good, passes.whole), legend: VERSION }],
})

const factorOverTime = lines({
  title: 'Rework cost factor by fix prompt version over time',
  empty: EMPTY.fixes,
  description:
    'Completion tokens of fixes per character of error log, by the prompt version of the fix, over the window set above. Lower is better.',
  unit: 'none',
  decimals: 2,
  min: 0,
  queries: [{ expr: costFactor(WINDOW), legend: VERSION }],
})

const factors = ranking({
  title: 'Rework cost factor by fix prompt version',
  empty: EMPTY.versions,
  description:
    'Completion tokens of fixes per character of error log in this time range. Prompt versions with at least 20 builds.',
  unit: 'none',
  decimals: 2,
  queries: [{ expr: `sort_desc(${ifEnough(costFactor(), reworkSuccesses().whole)})`, legend: VERSION }],
}).colorScheme(fixedColor(COLORS.warning))

const completions = ranking({
  title: 'Completion tokens by implement prompt version',
  empty: EMPTY.versions,
  description:
    'Average completion tokens of the implement step per build. Prompt versions with at least 20 builds.',
  unit: 'short',
  decimals: 1,
  queries: [
    {
      expr: `sort_desc(${ifEnough(completionTokensPerBuild('implement'), firstPasses().whole)})`,
      legend: VERSION,
    },
  ],
})

export const promptRefinement = (): Dashboard =>
  board({
    uid: 'audit-prompt-refinement',
    title: 'Audit · Prompt Refinement',
    description: 'Pass rates and cost of each prompt version, with the number of builds behind them.',
    variables: [movingWindow()],
    bands: [
      { height: 5, panels: [[24, implementVersions]] },
      { height: 6, panels: [[24, fixVersions]] },
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
