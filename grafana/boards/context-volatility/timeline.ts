import { firstPassRate, judged, samplesOf } from '../../parts/measures.ts'
import { bars, lines } from '../../parts/panels.ts'
import { BUCKET, count, FIRST_SEEN, ORDER, type Selection, withRevision } from '../../parts/promql.ts'
import { OTHER } from '../../parts/colors.ts'
import { CONTEXT } from '../../parts/selectors.ts'
import { BY } from './selectors.ts'

const closed = (selection: Selection): string =>
  count('builds', { where: CONTEXT, window: BUCKET, ...selection })
/** The five newest revisions: the palette for colour-blind people has as many colours. */
const newest = `topk(5, ${ORDER} and on (context_hash) ${count('builds', { ...BY, where: CONTEXT, atEnd: true })})`
const drawn = `${closed(BY)} and on (context_hash) ${newest}`

/** The place of each revision in the order as a label, by which Grafana can sort. */
const place = `count_values by (context_hash) ("order", ${ORDER})`

export const buildsByRevision = bars({
  title: 'Builds by revision',
  description:
    'Closed builds by the revision of GEMINI.md that they used: the five newest of this time range, and all others together. Purple marks: GEMINI.md changed.',
  unit: 'locale',
  decimals: 0,
  min: 0,
  queries: [
    {
      expr: `sum by (revision, order) (${withRevision(`(${drawn}) * on (context_hash) group_left (order) ${place}`)}) > 0`,
      legend: '{{revision}}',
      interval: '1m',
    },
    {
      // Of the same series as the bars: a sum over revisions rises before a new one does, whose series waits at zero.
      expr: `label_replace(sum(${closed(BY)} unless on (context_hash) ${newest}), "order", "z", "", "")`,
      legend: OTHER,
      interval: '1m',
    },
  ],
}).transformations([
  // One after another in the order of their first use; Prometheus sorts by label.
  { id: 'joinByField', options: { byField: 'Time', mode: 'outer' } },
  {
    id: 'organize',
    options: { orderByMode: 'auto', orderBy: [{ type: 'label', name: 'order', desc: false }] },
  },
])

const revisionsPerWeek = `count(${FIRST_SEEN} > time() - 7 * 86400 <= time()) or vector(0)`

export const churn = lines({
  title: 'Revisions per week and first-pass rate',
  description:
    'Revisions first used in the seven days before each point (steps, right axis), and the first-pass rate of the judged builds of those seven days (line, left axis), unless n, their number, is below 20.',
  unit: 'percentunit',
  min: 0,
  queries: [
    { expr: firstPassRate({ where: CONTEXT, window: '7d' }), legend: 'first-pass rate' },
    { expr: revisionsPerWeek, legend: 'revisions per week' },
    { expr: judged({ where: CONTEXT, window: '7d' }), legend: samplesOf('judged') },
  ],
})
  .overrideByName('first-pass rate', [{ id: 'max', value: 1 }])
  .overrideByName('revisions per week', [
    { id: 'unit', value: 'none' },
    { id: 'decimals', value: 0 },
    { id: 'min', value: 0 },
    { id: 'custom.axisSoftMax', value: 10 },
    { id: 'custom.axisPlacement', value: 'right' },
    { id: 'custom.axisLabel', value: 'revisions per week' },
    { id: 'custom.lineWidth', value: 1 },
    { id: 'custom.fillOpacity', value: 25 },
    { id: 'custom.lineInterpolation', value: 'stepAfter' },
  ])
  // Its axis would be the third.
  .overrideByName(samplesOf('judged'), [{ id: 'custom.axisPlacement', value: 'hidden' }])
