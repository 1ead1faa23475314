import { EMPTY } from '../parts/empty.ts'
import { COLORS, OTHER } from '../parts/colors.ts'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { BEFORE, closed, failures, orZero, rangeAndBefore, samplesOf, withSample } from '../parts/measures.ts'
import { errorTypeColumn } from '../parts/label-columns.ts'
import { TOO_FEW } from '../parts/formulas.ts'
import { barLook, WITHHELD_LOOK } from '../parts/looks.ts'
import { fixedColor, lines, ranking, stat } from '../parts/panels.ts'
import { ENOUGH, type Selection, WINDOW } from '../parts/promql.ts'
import { table } from '../parts/tables.ts'
import { named } from '../parts/named.ts'
import { before, family, newest, revisions, uncovered } from '../parts/hidden-variables.ts'
import { CONTEXT } from '../parts/selectors.ts'
import { contextHash, errorType, movingWindow } from '../parts/variables.ts'
import { differences, everyChange, MOST } from './constraint-effectiveness/changes.ts'

const ERRORS = `${CONTEXT},error_type=~"$error"`

/** Failed validations (by `by`) per 100 closed builds, of which there are at least `least`. */
const per100Builds = (selection: Selection, least = 1): string =>
  `100 * ${failures(selection)} / on () group_left () (${closedBuilds(selection)} >= ${least})`
/** The closed builds of the selected revisions. */
const closedBuilds = (selection: Selection): string => closed({ ...selection, by: [], where: CONTEXT })

const perBuilds = stat({
  title: 'Failed validations per 100 builds',
  empty: EMPTY.failures,
  description: `Failed validations of the selected error types per 100 closed builds. A build can fail several times. ${BEFORE}`,
  unit: 'none',
  decimals: 1,
  queries: withSample(
    ERRORS,
    (selection) => `${per100Builds(selection, ENOUGH)} or (${closedBuilds(selection)} >= ${ENOUGH}) * 0`,
    closedBuilds,
    'closed',
  ),
})
const failedValidations = stat({
  title: 'Failed validations',
  description: `Failed validations of the selected error types. ${BEFORE}`,
  unit: 'locale',
  decimals: 0,
  queries: rangeAndBefore(ERRORS, (selection) => orZero(failures(selection))),
})

const BY = { by: ['error_type'] } as const
/** The lines of the chart: the error types that are most frequent in the whole time range. */
const frequent = `topk(4, ${failures({ ...BY, where: named('error_type', ERRORS), atEnd: true })})`
const inWindow = { where: ERRORS, window: WINDOW }
const rates = per100Builds({ ...BY, ...inWindow }, ENOUGH)
const drawn = `${rates} and on (error_type) ${frequent}`
const overTime = lines({
  title: 'Failed validations per 100 builds over time',
  empty: EMPTY.failures,
  description:
    'Failed validations per 100 closed builds, over the window set above. A build can fail several times. The four most frequent error types of this time range, and all others together. No point where n, the closed builds, is below 20. Purple marks: GEMINI.md changed.',
  unit: 'none',
  decimals: 0,
  min: 0,
  queries: [
    // An error type stays at zero where it does not occur.
    {
      expr: `(${drawn}) or ${frequent} * 0 and on () (${closedBuilds(inWindow)} >= ${ENOUGH})`,
      legend: '{{error_type}}',
    },
    {
      expr: `sum(${rates} unless on (error_type) ${frequent}) or (${closedBuilds(inWindow)} >= ${ENOUGH}) * 0`,
      legend: OTHER,
    },
    { expr: closedBuilds(inWindow), legend: samplesOf('closed') },
  ],
})

const failedByType = failures({ ...BY, where: named('error_type', ERRORS) })
const frequency = table({
  title: 'Failed validations per 100 builds by error type',
  empty: EMPTY.failures,
  description:
    'Failed validations by error type, and per 100 builds that closed in this time range, whose number stands above. The most frequent first.',
  labels: [errorTypeColumn(190)],
  columns: [
    {
      name: 'Failed validations',
      expr: failedByType,
      unit: 'locale',
      decimals: 0,
      width: 150,
      look: barLook(COLORS.bad),
    },
    {
      name: 'Per 100 builds',
      expr: `${per100Builds({ ...BY, where: named('error_type', ERRORS) }, ENOUGH)} or ${failedByType} * 0 + ${TOO_FEW}`,
      unit: 'none',
      decimals: 1,
      width: 85,
      look: WITHHELD_LOOK,
    },
  ],
  sortBy: ['-Failed validations', 'Error type'],
})

const checks = ranking({
  title: 'Failed validations by check',
  empty: EMPTY.failures,
  description:
    'Failed validations by the command that failed, which is the first word of the error type: TSC, ESLINT, JEST, NPM, … The ten most frequent.',
  unit: 'locale',
  decimals: 0,
  queries: [
    {
      expr: `sort_desc(topk(10, sum by (check) (label_replace(${failures({
        by: ['error_type'],
        where: named('error_type', ERRORS),
      })}, "check", "$1", "error_type", "([^_]+).*")) > 0))`,
      legend: '{{check}}',
    },
  ],
}).colorScheme(fixedColor(COLORS.bad))

export const constraintEffectiveness = (): Dashboard =>
  board({
    uid: 'audit-constraint-effectiveness',
    title: 'Audit · Constraint Effectiveness',
    description: 'Frequency of each error type, before and after each revision of GEMINI.md.',
    variables: [
      contextHash(),
      errorType(),
      movingWindow(),
      uncovered(),
      revisions(),
      family(),
      newest(MOST, 'any'),
      before(),
    ],
    // A revision lasts days or weeks, and is compared with the one before it.
    from: 'now-30d',
    bands: [
      {
        height: 3,
        panels: [
          [12, perBuilds],
          [12, failedValidations],
        ],
      },
      { height: 8, panels: [[24, differences]] },
      { height: 9, panels: [[24, overTime]] },
      {
        height: 9,
        panels: [
          [12, frequency],
          [12, checks],
        ],
      },
      { height: 14, panels: [[24, everyChange]] },
    ],
  })
