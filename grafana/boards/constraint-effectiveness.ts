import { EMPTY } from '../parts/empty.ts'
import { COLORS } from '../parts/colors.ts'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { failures } from '../parts/measures.ts'
import { fixedColor, lines, ranking } from '../parts/panels.ts'
import { count, WINDOW } from '../parts/promql.ts'
import { contextHash, errorType, movingWindow } from '../parts/variables.ts'
import { differences, everyChange } from './constraint-effectiveness/changes.ts'

const CONTEXT = 'context_hash=~"$context"'
const ERRORS = `${CONTEXT},error_type=~"$error"`

/** Failed validations by error type per 100 closed builds. */
const per100Builds = (window?: string): string => {
  const over = window === undefined ? {} : { window }
  const failed = failures({ by: ['error_type'], where: ERRORS, ...over })
  return `100 * ${failed} / on () group_left () (${count('builds', { where: CONTEXT, ...over })} > 0)`
}

/** An error type of this time range stays at zero where it does not occur. */
const none = `${failures({ by: ['error_type'], where: ERRORS, atEnd: true })} * 0`
const overTime = lines({
  title: 'Failed validations per 100 builds over time',
  empty: EMPTY.failures,
  description:
    'Failed validations by error type per 100 closed builds, over the window set above. A build can fail several times. Purple marks: GEMINI.md changed.',
  unit: 'none',
  decimals: 0,
  min: 0,
  queries: [{ expr: `${per100Builds(WINDOW)} or ${none}`, legend: '{{error_type}}' }],
})

const frequency = ranking({
  title: 'Failed validations per 100 builds',
  empty: EMPTY.failures,
  description: 'Failed validations by error type per 100 builds that closed in this time range.',
  unit: 'none',
  decimals: 1,
  queries: [{ expr: `sort_desc(${per100Builds()})`, legend: '{{error_type}}' }],
}).colorScheme(fixedColor(COLORS.bad))

const checks = ranking({
  title: 'Failed validations by check',
  empty: EMPTY.failures,
  description:
    'Failed validations by the command that failed, which is the first word of the error type: TSC, ESLINT, JEST, NPM, …',
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
}).colorScheme(fixedColor(COLORS.warning))

export const constraintEffectiveness = (): Dashboard =>
  board({
    uid: 'audit-constraint-effectiveness',
    title: 'Audit · Constraint Effectiveness',
    description: 'Frequency of each error type, before and after each revision of GEMINI.md.',
    variables: [contextHash(), errorType(), movingWindow()],
    // A revision lasts days or weeks, and is compared with the one before it.
    from: 'now-30d',
    bands: [
      {
        height: 10,
        panels: [
          [14, differences],
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
