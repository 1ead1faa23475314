import {
  QueryVariableBuilder,
  VariableHide,
  VariableRefresh,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DATASOURCE } from './datasource.ts'
import { judged } from './measures.ts'
import { enough, ORDER, PREVIOUS, total } from './promql.ts'
import { EACH_CONTEXT, FAMILIES, FAMILY, NEWEST } from './selectors.ts'
import type { Variable } from './variables.ts'

// Variables that nobody chooses: Grafana asks Prometheus for them before it asks for the panels, so that panels read few series.

/** A variable with the values of a label in the answer to a query at the end of the time range. */
const asked = (name: string, label: string, expr: string): QueryVariableBuilder =>
  new QueryVariableBuilder(name)
    .datasource(DATASOURCE)
    .query(`query_result(${expr})`)
    .regex(`/${label}="([^"]*)"/`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .hide(VariableHide.HideVariable)

/** Not in addresses and links: its value belongs to one time range. */
const unlinked = (variable: Variable): Variable => ({
  build: () => ({ ...variable.build(), skipUrlSync: true }),
})

/** Revisions: none, if there are none. */
const several = (name: string, label: string, expr: string): Variable =>
  unlinked(asked(name, label, expr).multi(true).includeAll(true).current({ text: 'All', value: '$__all' }))

/** One of two regular expressions, for all revisions and for none. */
const single = (name: string, expr: string): Variable =>
  unlinked(asked(name, name, expr).current({ text: NONE, value: NONE }))

/** Matches only a missing label: also what `context` is if all are chosen. */
const NONE = '()'
const ALL = '.+'
/** What the variable `error` is with all error types. */
const ALL_ERRORS = '.*'
const constant = (name: string, value: string): string =>
  `label_replace(vector(0), "${name}", "${value}", "", "")`

/**
 * Whether sums over revisions lack a part of the time range: exporters of an older version counted in it, or imported
 * history has none. Then they have fewer builds than the series of single revisions (decisions/191).
 */
const sums = total('overallBuilds')
export const uncovered = (): Variable =>
  single(
    'uncovered',
    `label_replace(${total('builds')} > (${sums} or vector(0)), "uncovered", "${ALL}", "", "") or on () ${constant('uncovered', NONE)}`,
  )

/** The revisions whose series are added up: the chosen ones; if that is all, those that `uncovered` says. */
export const revisions = (): Variable =>
  single(
    'revisions',
    `label_replace(${constant('revisions', '$context')}, "revisions", "$uncovered", "revisions", "\\\\(\\\\)")`,
  )

/** How the names of the counters begin that are added up: those of the sums, if there are no revisions of their own. */
export const family = (): Variable =>
  unlinked(
    asked(
      'family',
      'family',
      `label_replace(label_replace(${constant('revisions', '$revisions')}, "family", "${FAMILIES.own}", "", ""), "family", "${FAMILIES.overall}", "revisions", "\\\\(\\\\)")`,
    ).current({ text: FAMILIES.overall, value: FAMILIES.overall }),
  )

/**
 * The same for what needs neither steps nor error types: that of the sums by phase, if there are no revisions of their own,
 * all error types are chosen, and these sums cover the time range.
 */
export const scope = (error = ALL_ERRORS): Variable => {
  const chosen = `label_replace(${constant('scope', FAMILY)}, "asked", "${FAMILY} ${error}", "", "")`
  const narrowed = `label_replace(${chosen}, "scope", "${FAMILIES.phase}", "asked", "${FAMILIES.overall} \\\\.\\\\*")`
  const covers = `${total('phaseEntries')} >= ${total('overallEntries')}`
  return unlinked(
    asked(
      'scope',
      'scope',
      `${narrowed} and on () (${covers}) or on () ${constant('scope', FAMILY)}`,
    ).current({
      text: FAMILIES.overall,
      value: FAMILIES.overall,
    }),
  )
}

const CHOSEN = { by: ['context_hash'], where: EACH_CONTEXT } as const

/** The newest of the chosen revisions that have judged builds, or enough of them. */
export const newest = (most: number, sample: 'any' | 'enough'): Variable => {
  const builds = sample === 'any' ? judged(CHOSEN) : enough(judged(CHOSEN))
  return several('newest', 'context_hash', `topk(${most}, ${ORDER} and on (context_hash) (${builds}))`)
}

/** The one before each of them. */
export const before = (): Variable => several('before', 'previous_hash', `${PREVIOUS}{${NEWEST}}`)
