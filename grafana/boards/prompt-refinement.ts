import { EMPTY } from '../parts/empty.ts'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { lines } from '../parts/panels.ts'
import { enough, shareIfEnough, WINDOW } from '../parts/promql.ts'
import { movingWindow, promptVersion } from '../parts/variables.ts'
import { fixVersions, implementVersions } from './prompt-refinement/comparisons.ts'
import { revisionTimes } from './prompt-refinement/revisions.ts'
import { costFactor, firstPasses, mostUsed, reworkSuccesses } from './prompt-refinement/measures.ts'

const VERSION = '{{instruction_version}}'

const DRAWN =
  'The five prompt versions with the most builds; the tables have their n. No point with fewer than 20'

const passes = firstPasses({ window: WINDOW })
const firstPassOverTime = lines({
  title: 'First-pass rate by implement prompt version over time',
  description: `Share of the judged builds that passed their first verification, by the prompt version of the implement step, over the window set above. ${DRAWN} judged builds.`,
  empty: EMPTY.enoughOfVersion,
  unit: 'percentunit',
  min: 0,
  max: 1,
  queries: [
    {
      expr: mostUsed(shareIfEnough(passes.good, passes.whole), firstPasses({ atEnd: true })),
      legend: VERSION,
    },
  ],
})

const factorOverTime = lines({
  title: 'Rework cost factor by fix prompt version over time',
  empty: EMPTY.enoughOfVersion,
  description: `Completion tokens of fixes per character of error log, by the prompt version of the fix, over the window set above. Lower is better. ${DRAWN} judged builds with fixes.`,
  unit: 'none',
  decimals: 2,
  min: 0,
  queries: [
    {
      expr: mostUsed(
        `(${costFactor({ window: WINDOW })}) and (${enough(reworkSuccesses({ window: WINDOW }).whole)})`,
        reworkSuccesses({ atEnd: true }),
      ),
      legend: VERSION,
    },
  ],
})

export const promptRefinement = (): Dashboard =>
  board({
    uid: 'audit-prompt-refinement',
    title: 'Audit · Prompt Refinement',
    description: 'Pass rates and cost of each prompt version, with the number of builds behind them.',
    variables: [promptVersion(), movingWindow('7d')],
    // A prompt version has a part of the builds, and a fix prompt a part of those with fixes.
    from: 'now-30d',
    bands: [
      { height: 9, panels: [[24, implementVersions]] },
      { height: 9, panels: [[24, fixVersions]] },
      { height: 6, panels: [[24, revisionTimes]] },
      // As wide as the board: five long names would fill a third of a narrower chart.
      { height: 8, panels: [[24, firstPassOverTime]] },
      { height: 8, panels: [[24, factorOverTime]] },
    ],
  })
