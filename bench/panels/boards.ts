import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type AskSeries, type BoardVariable, queryOf, valuesOf } from '../../test/setup/board-variables.ts'

interface Board {
  readonly uid: string
  readonly panels: readonly {
    readonly title: string
    readonly maxDataPoints?: number
    readonly gridPos: { readonly w: number }
    readonly targets?: readonly {
      readonly refId: string
      readonly expr: string
      readonly instant?: boolean
      readonly interval?: string
    }[]
  }[]
  readonly templating: { readonly list: readonly BoardVariable[] }
}

/** A query as Grafana sends it. */
export interface Query {
  readonly board: string
  readonly panel: string
  readonly refId: string
  readonly expr: string
  /** Seconds between the points of a range query. */
  readonly stepSeconds?: number
}

const SCREEN_PIXELS = 1600
const COLUMNS = 24
const SCRAPE_SECONDS = 15
const DIRECTORY = path.resolve(import.meta.dirname, '../../grafana/dashboards')

/** The steps that Grafana rounds to, in seconds. */
const STEPS = [
  1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
]

/** Grafana's rounding: to the step that is nearest, see roundInterval() in its sources. */
function rounded(seconds: number): number {
  const index = STEPS.findIndex((step, i) => seconds < (step + (STEPS[i + 1] ?? Infinity)) / 2)
  return STEPS[index === -1 ? STEPS.length - 1 : index]!
}

const BOARDS = readdirSync(DIRECTORY).map(
  (file) => JSON.parse(readFileSync(path.join(DIRECTORY, file), 'utf8')) as Board,
)

/** All queries of all variables and panels, for a time range in seconds. */
export async function queriesOf(rangeSeconds: number, ask: AskSeries): Promise<Query[]> {
  const queries: Query[] = []
  for (const board of BOARDS) {
    const fill = (expr: string, values: ReadonlyMap<string, string>): string =>
      filled(expr, values, rangeSeconds, SCRAPE_SECONDS)
    const values = await valuesOf(board.templating.list, fill, ask)
    for (const variable of board.templating.list) {
      const query = queryOf(variable)
      const panel = `variable ${variable.name}`
      if (query !== undefined) queries.push({ board: board.uid, panel, refId: '', expr: fill(query, values) })
    }
    for (const panel of board.panels) queries.push(...ofPanel(board.uid, panel, values, rangeSeconds))
  }
  return queries
}

const ofPanel = (
  board: string,
  { title, targets = [], maxDataPoints, gridPos }: Board['panels'][number],
  values: ReadonlyMap<string, string>,
  rangeSeconds: number,
): Query[] =>
  targets.map(({ refId, expr, instant = false, interval }) => {
    const points = maxDataPoints ?? Math.round((SCREEN_PIXELS * gridPos.w) / COLUMNS)
    const least = interval === undefined ? SCRAPE_SECONDS : 60
    const stepSeconds = Math.max(least, rounded(rangeSeconds / points))
    return {
      board,
      panel: title,
      refId,
      expr: filled(expr, values, rangeSeconds, stepSeconds),
      ...(!instant && { stepSeconds }),
    }
  })

function filled(
  expr: string,
  ofVariables: ReadonlyMap<string, string>,
  rangeSeconds: number,
  stepSeconds: number,
): string {
  const values = new Map<string, string>([
    ['__range_s', String(rangeSeconds)],
    ['__range_ms', String(rangeSeconds * 1000)],
    ['__range', `${rangeSeconds}s`],
    ['__interval', `${stepSeconds}s`],
    ['__rate_interval', `${Math.max(stepSeconds + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS)}s`],
    ...ofVariables,
  ])
  // `7d1000ms`: PromQL wants the largest unit first, and takes the seconds of `${__range_s}s${__range_ms}ms`.
  return expr.replaceAll(
    /\$(?:\{(\w+)\}|([a-z_]\w*))/g,
    (all, braced: string | undefined, bare: string | undefined) => {
      const value = values.get(braced ?? bare!)
      if (value === undefined) throw new Error(`no value for ${all} in ${expr}`)
      return value
    },
  )
}
