import { EMPTY } from '../../parts/empty.ts'
import { COLORS } from '../../parts/colors.ts'
import { barLook } from '../../parts/looks.ts'
import { failures, judged, validations } from '../../parts/measures.ts'
import { enough, ORDER } from '../../parts/promql.ts'
import { filtered, sorted, table } from '../../parts/tables.ts'
import { named } from '../../parts/top.ts'
import { BY, selected } from './selectors.ts'

const failed = failures({
  by: ['context_hash', 'error_type'],
  where: named('error_type'),
})
const verified = `(${validations(BY)} > 0)`
/** By rank, which no two revisions share: the choice between equal values is random. */
const newest = `topk(8, ${ORDER} and on (context_hash) (${enough(judged(BY))}))`

/** A matrix, which `table` alone cannot give: its transformations are replaced. */
export const errorMix = table({
  title: 'Error rates by revision',
  description:
    'Share of the validations under a revision that failed with an error type. One row per error type, one column for each of the eight newest revisions with at least 20 builds in this time range, the newest first; the first table has their numbers of builds. A full bar is 30 %.',
  labels: [
    { label: 'revision', name: 'revision' },
    { label: 'error_type', name: 'error_type' },
  ],
  columns: [
    {
      name: 'Share of validations',
      expr: selected(`${failed} / on (context_hash) group_left () ${verified}`),
      unit: 'percentunit',
    },
  ],
  inputs: [
    { name: 'first used', expr: selected(`${failed} * 0 + on (context_hash) group_left () ${newest}`) },
  ],
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
        columnField: 'revision',
        rowField: 'error_type',
        valueField: 'Value #A',
        emptyValue: 'zero',
      },
    },
    { id: 'organize', options: { renameByName: { 'error_type\\revision': 'Error type' } } },
  ])
  .unit('percentunit')
  .decimals(1)
  .overrideByName('Error type', [
    { id: 'custom.width', value: 230 },
    { id: 'custom.wrapText', value: true },
    { id: 'noValue', value: '–' },
  ])
  .overrideByRegexp('^(?!Error type$).*', [
    ...barLook(COLORS.bad, 0.3),
    { id: 'custom.minWidth', value: 155 },
  ])
