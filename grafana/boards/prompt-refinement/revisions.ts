import { EMPTY } from '../../parts/empty.ts'
import { timeColumns } from '../../parts/label-columns.ts'
import { dataLink, toPromptsOfItsTime } from '../../parts/links.ts'
import { closed } from '../../parts/measures.ts'
import { withRevision } from '../../parts/promql.ts'
import { table } from '../../parts/tables.ts'

const builds = closed({ by: ['context_hash'] })
const [from, to] = timeColumns((expression) => withRevision(`${expression} and on (context_hash) ${builds}`))
const { title, url } = toPromptsOfItsTime(from.name, to.name)

/** In place of a variable: the metrics of prompt versions have no revision (decisions/152). */
export const revisionTimes = table({
  title: 'Prompt versions under one revision: click to see its time',
  description:
    'The revisions of GEMINI.md in this time range, the newest first. The metrics of prompt versions have no revision. A click on one sets the time range to its time: from its first use until that of the next. If projects use different revisions at the same time, the builds of all of them are included.',
  labels: [{ label: 'revision', name: 'Revision', minWidth: 165, looks: [dataLink(title, url)] }],
  columns: [
    from,
    to,
    { name: 'Closed builds', expr: withRevision(builds), unit: 'locale', decimals: 0, width: 85 },
  ],
  empty: EMPTY.revisions,
  sortBy: [`-${from.name}`],
})
