import { TableCellHeight } from '@grafana/grafana-foundation-sdk/common'
import { EMPTY } from '../../parts/empty.ts'
import { COLORS } from '../../parts/colors.ts'
import { ERROR_TYPE } from '../../parts/label-columns.ts'
import { barLook } from '../../parts/looks.ts'
import { failures, judged, validations } from '../../parts/measures.ts'
import { ORDER } from '../../parts/promql.ts'
import { NEWEST } from '../../parts/selectors.ts'
import { filtered, sorted, table } from '../../parts/tables.ts'
import { named } from '../../parts/named.ts'
import { BY, selected } from './selectors.ts'

/** How many columns there are at most. */
export const MOST = 8

const OF_NEWEST = { ...BY, where: NEWEST } as const
const failed = failures({
  by: ['context_hash', 'error_type'],
  where: named('error_type', NEWEST),
})
const verified = `(${validations(OF_NEWEST)} > 0)`
/** The name of a revision and its number of builds, for the head of its column. */
const WITH_N = 'column'
const withN = (expression: string): string =>
  `label_join(${selected(`(${expression}) * on (context_hash) group_left (n) count_values by (context_hash) ("n", ${judged(OF_NEWEST)})`)}, "${WITH_N}", ", n = ", "revision", "n")`
/** A matrix, which `table` alone cannot give: its transformations are replaced. */
export const errorMix = table({
  title: 'Error rates by revision',
  description:
    'Share of the validations under a revision that failed with an error type. One row per error type, one column for each of the eight newest of the selected revisions with at least 20 judged builds in this time range, the newest first; n: its judged builds. A full bar is 30 %.',
  labels: [
    { label: WITH_N, name: WITH_N },
    { label: 'error_type', name: 'error_type' },
  ],
  columns: [
    {
      name: 'Share of validations',
      expr: withN(`${failed} / on (context_hash) group_left () ${verified}`),
      unit: 'percentunit',
    },
  ],
  inputs: [{ name: 'first used', expr: withN(`${failed} * 0 + on (context_hash) group_left () ${ORDER}`) }],
  empty: EMPTY.enoughOfRevision,
  sortBy: [],
})
  .transformations([
    { id: 'merge', options: {} },
    ...filtered([{ column: 'Value #B', above: 0 }]),
    sorted('error_type'),
    sorted('Value #B', true),
    {
      id: 'groupingToMatrix',
      options: {
        columnField: WITH_N,
        rowField: 'error_type',
        valueField: 'Value #A',
        emptyValue: 'zero',
      },
    },
    { id: 'organize', options: { renameByName: { [`error_type\\${WITH_N}`]: 'Error type' } } },
  ])
  .cellHeight(TableCellHeight.Md)
  .unit('percentunit')
  .decimals(1)
  .overrideByName('Error type', [
    { id: 'custom.width', value: 215 },
    ...ERROR_TYPE,
    { id: 'noValue', value: '–' },
  ])
  .overrideByRegexp('^(?!Error type$).*', [
    ...barLook(COLORS.bad, 0.3),
    { id: 'custom.minWidth', value: 145 },
    { id: 'custom.wrapHeaderText', value: true },
  ])
