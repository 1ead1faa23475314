import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'
import { type AskSeries, type BoardVariable, valuesOf } from '../setup/board-variables.ts'
import type { Sample } from '../setup/prometheus.ts'
import { type Row, shownRows, type Transformation } from '../setup/table-panel.ts'

export interface Target {
  readonly refId: string
  readonly expr: string
  readonly instant?: boolean
  /** Those of its dashboard. */
  readonly variables: readonly BoardVariable[]
}
interface Panel {
  readonly title: string
  readonly targets?: readonly Target[]
  readonly transformations?: readonly Transformation[]
}
interface Board {
  readonly uid: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly BoardVariable[] }
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr?: string }[] }
}

const directory = path.resolve(import.meta.dirname, '../../grafana/dashboards')
/** The committed dashboards. */
export const boards = readdirSync(directory).map((file) => {
  const board = JSON.parse(readFileSync(path.join(directory, file), 'utf8')) as Board
  const variables = board.templating.list
  const panels = board.panels.map(({ targets = [], ...panel }) => ({
    ...panel,
    targets: targets.map((target) => ({ ...target, variables })),
  }))
  return { ...board, panels }
})

function panel(uid: string, title: string): Panel {
  const found = boards.find((board) => board.uid === uid)?.panels.find((panel) => panel.title === title)
  if (found === undefined) throw new Error(`no panel "${title}" in ${uid}`)
  return found
}
export const query = (uid: string, title: string, refId = 'A'): Target =>
  panel(uid, title).targets!.find((target) => target.refId === refId)!

/** What a dashboard shows: the data source's address and the time range, in Unix milliseconds. */
export interface View {
  readonly url: string
  readonly fromMs: number
  readonly nowMs: number
}

/** Seconds between the points of a line, and width of a bar. The last one ends now. */
const STEP = 5

/** What variables are if they select everything, and the sums over revisions cover the time range. */
export const EVERYTHING: ReadonlyMap<string, string> = new Map([
  ...['job', 'instance', 'error', 'phase', 'version', 'project', 'model'].map(
    (name) => [name, '.*'] as const,
  ),
  ...['context', 'revisions', 'uncovered'].map((name) => [name, '()'] as const),
  ...['newest', 'before'].map((name) => [name, '.+'] as const),
  ['family', 'audit_overall_'],
  ['scope', 'audit_phase_'],
])

export const filled = (
  expr: string,
  range: string,
  { window = '1m', interval = `${STEP}s`, values = EVERYTHING }: Filling = {},
): string =>
  expr
    .replaceAll('${__range_s}s${__range_ms}ms', `${2 * Number.parseInt(range, 10)}s`)
    .replaceAll('${family}', values.get('family') ?? '')
    .replaceAll('${scope}', values.get('scope') ?? '')
    .replaceAll(/\$\{(\w+)\}/g, '$$$1')
    .replaceAll('$__rate_interval', '5s')
    .replaceAll('$__range', range)
    .replaceAll('$__interval', interval)
    .replaceAll('$window', window)
    .replaceAll('$price_prompt', '1.25')
    .replaceAll('$price_completion', '10')
    .replaceAll(/\$([a-z]+)\b/g, (all, name: string) => values.get(name) ?? all)

interface Filling {
  readonly window?: string
  readonly interval?: string
  /** Of the variables that select. */
  readonly values?: ReadonlyMap<string, string> | undefined
}

type Result = { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[]

/** What the variables of a dashboard are: everything is selected, except for `chosen`. */
function selected(view: View, variables: readonly BoardVariable[], range: string, chosen: Chosen) {
  const fill = (expr: string, values: ReadonlyMap<string, string>): string => filled(expr, range, { values })
  const askSeries: AskSeries = async (query) => {
    const body = new URLSearchParams({ query, time: String(view.nowMs / 1000) })
    const response = await fetch(`${view.url}/api/v1/query`, { method: 'POST', body })
    const answer = (await response.json()) as { error?: string; data: { result: Result } }
    expect(answer.error).toBeUndefined()
    return answer.data.result.map(({ metric }) => metric)
  }
  return valuesOf(variables, fill, askSeries, chosen)
}
type Chosen = Readonly<Record<string, string>>

/** Runs a panel's query as Grafana does: by POST, because some queries are longer than a URL may be. */
export async function ask(
  view: View,
  target: Target,
  { range = '600s', chosen = {} }: { readonly range?: string; readonly chosen?: Chosen } = {},
): Promise<Sample[]> {
  const values = await selected(view, target.variables, range, chosen)
  const text = filled(target.expr, range, { values })
  expect(text).not.toMatch(/\$[a-z_]/)
  const end = view.nowMs / 1000
  const steps = Math.ceil((view.nowMs - view.fromMs) / 1000 / STEP)
  const form = target.instant
    ? { query: text, time: String(end) }
    : { query: text, start: String(end - STEP * steps), end: String(end), step: String(STEP) }
  const response = await fetch(`${view.url}/api/v1/${target.instant ? 'query' : 'query_range'}`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  const answer = (await response.json()) as { error?: string; data: { result: Result } }
  expect(answer.error).toBeUndefined()
  return answer.data.result.flatMap(({ metric, value, values }) =>
    (values ?? [value!]).map(([seconds, text]) => ({
      labels: metric,
      value: Number(text),
      timeMs: seconds * 1000,
    })),
  )
}

/** The rows of a table as Grafana shows them: all queries, then merged, calculated, filtered and sorted. */
export async function tableOf(
  view: View,
  uid: string,
  title: string,
  chosen: Chosen = {},
): Promise<readonly Row[]> {
  const { targets = [], transformations = [] } = panel(uid, title)
  const answers = await Promise.all(
    targets.map(async (target) => ({ refId: target.refId, samples: await ask(view, target, { chosen }) })),
  )
  return shownRows(answers, transformations)
}
