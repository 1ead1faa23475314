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
import { DATASOURCE } from './datasource.ts'
import { place, type Band } from './layout.ts'
import { withVersion } from './promql.ts'
import { datasource, type Variable } from './variables.ts'

/** Every dashboard of ours carries it; the links between them go by it. */
const TAG = 'audit-trace'

export interface BoardSpec {
  /** Stable: links and bookmarks hang on it. */
  readonly uid: string
  readonly title: string
  readonly description: string
  readonly variables: readonly Variable[]
  readonly bands: readonly Band[]
  /** How far back the dashboard looks when opened, a Grafana time. */
  readonly from?: string
}

/** A dashboard with what all of them share: data source, links that keep variables and time, revisions marked. */
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
  for (const variable of [datasource(), ...spec.variables]) builder.withVariable(variable)
  place(builder, spec.bands)
  const built = builder.build()
  const asked = built.templating?.list?.map(({ name }) => name) ?? []
  for (const panel of built.panels ?? []) tellWhatIsNotNarrowed(panel, asked)
  return built
}

/** What the choices above a dashboard leave out. */
const EVERYTHING: ReadonlyMap<string, string> = new Map([
  ['context', 'revisions'],
  ['error', 'error types'],
  ['phase', 'phases'],
])

/** A panel about builds whose metrics lack a label says that it shows everything, whatever is chosen above. */
function tellWhatIsNotNarrowed(panel: Panel | RowPanel, asked: readonly string[]): void {
  if (!('targets' in panel)) return
  const queries = JSON.stringify(panel.targets)
  if (!/audit_(?!exporter)/.test(queries)) return
  const left = asked.filter(
    (name) => EVERYTHING.has(name) && !queries.includes(`$${name}`) && !queries.includes(`${name}=\\"`),
  )
  if (left.length === 0) return
  panel.description = `${panel.description ?? ''} Shown for all ${left.map((name) => EVERYTHING.get(name)).join(' and all ')}.`
}

/** A mark where a revision of GEMINI.md was first used; the series' value is the time, in milliseconds. */
const revisions = (): AnnotationQueryBuilder =>
  new AnnotationQueryBuilder()
    .name('GEMINI.md changed')
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor('purple')
    .expr(withVersion('max by (context_hash) (audit_context_first_seen_timestamp_seconds) * 1000'))
    .titleFormat('GEMINI.md {{version}}')
    .textFormat('{{context_hash}}')
    .step('60s')
    .useValueForTime(true)
