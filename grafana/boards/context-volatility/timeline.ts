import { firstPassRate } from '../../parts/measures.ts'
import { bars, lines } from '../../parts/panels.ts'
import { BUCKET, count, FIRST_SEEN, ORDER, type Selection, withRevision } from '../../parts/promql.ts'
import { OTHER } from '../../parts/colors.ts'
import { BY, CONTEXT } from './selectors.ts'

const closed = (selection: Selection): string =>
  count('builds', { where: CONTEXT, window: BUCKET, ...selection })
/** The five newest revisions: the palette for colour-blind people has as many colours. */
const newest = `topk(5, ${ORDER} and on (context_hash) ${count('builds', { ...BY, where: CONTEXT, atEnd: true })})`
const drawn = `${closed(BY)} and on (context_hash) ${newest}`

export const buildsByRevision = bars({
  title: 'Builds by revision',
  description:
    'Closed builds by the revision of GEMINI.md that they used: the five newest of this time range, and all others together. Purple marks: GEMINI.md changed.',
  unit: 'locale',
  decimals: 0,
  min: 0,
  queries: [
    {
      expr: `sum by (revision) (${withRevision(drawn)}) > 0`,
      legend: '{{revision}}',
      interval: '1m',
    },
    {
      expr: `${closed({})} - (sum(${drawn}) or vector(0))`,
      legend: OTHER,
      interval: '1m',
    },
  ],
})

const revisionsPerWeek = `count(${FIRST_SEEN} > time() - 7 * 86400 <= time()) or vector(0)`

export const churn = lines({
  title: 'Revisions per week and first-pass rate',
  description:
    'Revisions first used in the seven days before each point (steps, right axis), and the first-pass rate of the builds of those seven days (line, left axis).',
  unit: 'percentunit',
  min: 0,
  queries: [
    { expr: firstPassRate({ where: CONTEXT, window: '7d' }), legend: 'first-pass rate' },
    { expr: revisionsPerWeek, legend: 'revisions per week' },
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
