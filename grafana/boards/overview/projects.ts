import type { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { matchers } from '../../../prometheus/increase.ts'
import { EMPTY } from '../../parts/empty.ts'
import { shareUnlessFew } from '../../parts/formulas.ts'
import { projectColumn } from '../../parts/label-columns.ts'
import { WITHHELD_LOOK } from '../../parts/looks.ts'
import { judged, passedFirst, succeeded } from '../../parts/measures.ts'
import { count, total } from '../../parts/promql.ts'
import { table } from '../../parts/tables.ts'

/** One row for each project that entries or paths name. */
export function projects(context: string): TablePanel {
  const selection = {
    by: ['project'],
    where: matchers(context, 'project=~"$project"', 'project!~"|_other"'),
  }
  const builds = count('builds', selection)
  const orNone = (expression: string): string => `${expression} or ${builds} * 0`
  return table({
    title: 'Projects',
    description:
      'Builds of each project that closed in this time range, their first-pass rate (of the judged builds, those with a verdict) and tokens per successful build, tokens of failed builds included. The most builds first. Builds of no known project are not listed.',
    labels: [projectColumn(160)],
    columns: [
      { name: 'Closed builds', expr: builds, unit: 'locale', decimals: 0, width: 85 },
      { name: 'Judged builds', expr: orNone(judged(selection)), unit: 'locale', decimals: 0, width: 85 },
      {
        name: 'First-pass rate',
        formula: shareUnlessFew('passed', 'Judged builds'),
        unit: 'percentunit',
        decimals: 1,
        width: 100,
        look: WITHHELD_LOOK,
      },
      {
        name: 'Successful builds',
        expr: orNone(succeeded(selection)),
        unit: 'locale',
        decimals: 0,
        width: 100,
      },
      {
        name: 'Tokens per successful build',
        formula: shareUnlessFew('tokens', 'Successful builds'),
        unit: 'short',
        decimals: 1,
        width: 130,
        look: WITHHELD_LOOK,
      },
    ],
    inputs: [
      { name: 'passed', expr: orNone(passedFirst(selection)) },
      { name: 'tokens', expr: orNone(total('buildTokens', selection)) },
    ],
    empty: EMPTY.projects,
    sortBy: ['-Closed builds', 'Project'],
  })
}
