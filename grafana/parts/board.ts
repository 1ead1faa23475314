import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Dashboard,
  type Panel,
  type RowPanel,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { COLORS } from './colors.ts'
import { DATASOURCE } from './datasource.ts'
import { place, type Band } from './layout.ts'
import { FIRST_SEEN, withRevision } from './promql.ts'
import { datasource, job, type Variable } from './variables.ts'

/** All dashboards carry this tag; the links between them select by it. */
const TAG = 'audit-trace'

export interface BoardSpec {
  /** Stable, because links and bookmarks contain it. */
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly variables: readonly Variable[]
  readonly bands: readonly Band[]
  /** Start of the default time range, a Grafana time such as `now-7d`. */
  readonly from?: string
}

/** Builds a dashboard with what all of them share: data source, links that keep variables and time, marks for revisions. */
export function board(spec: BoardSpec): Dashboard {
  const builder = new DashboardBuilder(spec.title)
    .uid(spec.uid)
    .description(spec.description)
    .tags([TAG])
    .timezone('utc')
    .refresh('1m')
    .time({ from: spec.from ?? 'now-7d', to: 'now' })
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .link(
      new DashboardLinkBuilder('Audits')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    )
    .annotation(revisions())
  for (const variable of [datasource(), job(), ...spec.variables]) builder.withVariable(variable)
  place(builder, spec.bands)
  const built = builder.build()
  const asked = built.templating?.list?.map(({ name }) => name) ?? []
  return { ...built, panels: (built.panels ?? []).map((panel) => describeUnfiltered(panel, asked)) }
}

/** The plural of what each variable filters. */
const FILTERED: ReadonlyMap<string, string> = new Map([
  ['context', 'revisions'],
  ['error', 'error types'],
  ['phase', 'phases'],
  ['version', 'prompt versions'],
  ['project', 'projects'],
  ['model', 'models'],
])

/**
 * The panel, with one more sentence in its description if a variable of the dashboard does not filter it. The given one
 * stays: dashboards are built more than once, from the same panels.
 */
function describeUnfiltered<P extends Panel | RowPanel>(panel: P, asked: readonly string[]): P {
  if (!('targets' in panel)) return panel
  const queries = JSON.stringify(panel.targets)
  if (!/audit_(?!exporter)/.test(queries)) return panel
  const left = asked.filter(
    (name) =>
      FILTERED.has(name) &&
      ![`$${name}`, `${name}=\\"`, ...(name === 'context' ? ['$revisions', '$newest'] : [])].some((text) =>
        queries.includes(text),
      ),
  )
  if (left.length === 0) return panel
  const sentence = `Not filtered: includes all ${left.map((name) => FILTERED.get(name)).join(' and all ')}.`
  return { ...panel, description: `${panel.description ?? ''} ${sentence}` }
}

/** A mark at the first use of each revision of GEMINI.md. The value of the series is the time in milliseconds. */
const revisions = (): AnnotationQueryBuilder =>
  new AnnotationQueryBuilder()
    .name('GEMINI.md changed')
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor(COLORS.revision)
    .expr(withRevision(`${FIRST_SEEN} * 1000`))
    .titleFormat('GEMINI.md {{revision}}')
    .textFormat('{{context_hash}}')
    .step('60s')
    .useValueForTime(true)
