import { COLORS } from '../../parts/colors.ts'
import type { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { type Formula, isFew, isNone, shareUnlessFew, TOO_FEW, zScore } from '../../parts/formulas.ts'
import { range, verdictLook, WITHHELD_LOOK } from '../../parts/looks.ts'
import { judged, passedFirst, runs, succeeded } from '../../parts/measures.ts'
import { count, type Selection, total } from '../../parts/promql.ts'
import { type Column, table } from '../../parts/tables.ts'

/** A measure as the quotient of two sums, with the size of its sample. */
interface Measure {
  readonly name: string
  /** A share of which more is better, a share of which less is better, or a cost (less is better). */
  readonly kind: 'more' | 'less' | 'cost'
  readonly part: (selection: Selection) => string
  readonly whole: (selection: Selection) => string
  readonly sample?: (selection: Selection) => string
}

const failed = (selection: Selection): string =>
  count('builds', { ...selection, where: `${selection.where ?? ''},outcome="failed"` })

/** In the order of the rows. */
const MEASURES: readonly Measure[] = [
  { name: 'First-pass rate, %', kind: 'more', part: passedFirst, whole: judged },
  { name: 'Failed builds, %', kind: 'less', part: failed, whole: judged },
  {
    name: 'Tokens per successful build',
    kind: 'cost',
    part: (selection) => total('buildTokens', selection),
    whole: succeeded,
  },
  {
    name: 'Rework cost factor',
    kind: 'cost',
    part: (selection) => total('reworkCompletionTokens', selection),
    whole: (selection) => total('reworkErrorLogChars', selection),
    sample: (selection) => runs('rework', selection),
  },
]

const named = (expression: string, { name }: Measure): string =>
  `label_replace(${expression}, "measure", "${name}", "", "")`
const forEach = (expression: (measure: Measure, index: number) => string): string =>
  MEASURES.map((measure, index) => named(expression(measure, index), measure)).join(' or ')
/** A row for each measure, also if it has no series: then it is zero. */
const rows = (expression: (measure: Measure) => string): string =>
  `(${forEach(expression)}) or ${forEach(() => 'vector(0)')}`

const WINDOWS = {
  'last day': { window: '1d' },
  'day before': { window: '1d', offset: '1d' },
  'week before': { window: '7d', offset: '1d' },
} as const
type Window = keyof typeof WINDOWS

/** 1 for a share of which more is better, -1 if less is better, 0 for a cost. */
const KIND = { more: '1', less: '-1', cost: '0' } as const

const valueIn = (window: Window): Formula =>
  // Shares in per cent.
  [
    shareUnlessFew(`part, ${window}`, `whole, ${window}`, `n, ${window}`),
    '*',
    [1, '+', [99, '*', ['kind', '*', 'kind']]],
  ]

/** Without any builds the whole is 1, so that there is a number to which the reason can be added. */
const sample = (window: Window) => ({
  part: `part, ${window}`,
  whole: [`whole, ${window}`, '+', isNone(`whole, ${window}`)] as const,
})

/** Above 1 better and below -1 worse than in the week before. */
function verdictNow(): Formula {
  const [now, before] = [sample('last day'), sample('week before')]
  // Three standard errors, because the test is repeated with every build (decisions/032).
  const share: Formula = [zScore(now, before, 'more'), '/', 3]
  // (x - y) / (x + y) is 0.2 if x is 1.5 times y.
  const [cost, usual]: readonly Formula[] = [now, before].map(({ part, whole }): Formula => [
    part,
    '/',
    [whole, '+', 1e-9],
  ])
  const change: Formula = [[usual!, '-', cost!], '/', [[[usual!, '+', cost!], '*', 0.2], '+', 1e-9]]
  const isShare: Formula = ['kind', '*', 'kind']
  const score: Formula = [['kind', '*', share], '+', [[1, '-', isShare], '*', change]]
  return WHY_NOT.reduce<Formula>((sum, { when, value }) => [sum, '+', [when, '*', value]], score)
}

/** Reasons for no verdict; each is far above the sum of those before it, so that a value mapping recognises the last. */
const WHY_NOT = [
  { when: isFew('n, last day'), value: TOO_FEW, text: 'n < 20 in the last day' },
  { when: isFew('n, week before'), value: 10 * TOO_FEW, text: 'n < 20 in the week' },
  { when: isNone('n, week before'), value: 100 * TOO_FEW, text: 'nothing in the week' },
  { when: isNone('n, last day'), value: 1000 * TOO_FEW, text: 'nothing in the last day' },
]
const NOW_LOOK = verdictLook(
  '–',
  WHY_NOT.map(({ value, text }, index) => range(value / 2, value * 5, COLORS.neutral, index + 4, text)),
)

/** The last day beside the day before and the week before, whatever the time range of the dashboard is. */
export function now(where: string): TablePanel {
  const select = (window: Window): Selection => ({ where, ...WINDOWS[window] })
  const columns = (window: Window, title: string): Column[] => [
    { name: title, formula: valueIn(window), unit: 'short', decimals: 2, width: 80, look: WITHHELD_LOOK },
    {
      name: `n, ${window}`,
      expr: rows(({ whole, sample = whole }) => sample(select(window))),
      unit: 'locale',
      decimals: 0,
      width: 72,
    },
  ]
  return table({
    title: 'Now: the last day against the week before',
    description:
      'The 24 hours before the end of the time range, beside the 24 hours and the 7 days before them. n: judged builds, those with a verdict (first-pass rate and failed builds, as shares of these), successful builds (tokens), rework steps (factor: completion tokens per character of error log). Better or worse: shares that differ by more than three standard errors, costs by more than 1.5 times (not tested for chance); at least 20 in the last day and in the week.',
    labels: [{ label: 'measure', name: 'Measure', minWidth: 205 }],
    columns: [
      // What the person on call looks for, beside the name.
      { name: 'Against the week', formula: verdictNow(), unit: 'none', width: 165, look: NOW_LOOK },
      ...columns('last day', 'Last day'),
      ...columns('day before', 'Day before'),
      ...columns('week before', 'Week before'),
    ],
    inputs: [
      ...(Object.keys(WINDOWS) as Window[]).flatMap((window) => [
        { name: `part, ${window}`, expr: rows(({ part }) => part(select(window))) },
        { name: `whole, ${window}`, expr: rows(({ whole }) => whole(select(window))) },
      ]),
      { name: 'kind', expr: forEach(({ kind }) => `vector(${KIND[kind]})`) },
      { name: 'row', expr: forEach((_, index) => `vector(${index})`) },
    ],
    sortBy: ['row'],
  })
}
