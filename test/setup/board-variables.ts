/** A variable of a dashboard, as Grafana's model has it. */
export interface BoardVariable {
  readonly name: string
  readonly type: string
  readonly query?: string | object
  readonly regex?: string
  readonly allValue?: string
  readonly multi?: boolean
  readonly current?: { readonly value: string }
}

/** Labels of the series that an instant query gives at the end of the time range. */
export type AskSeries = (expr: string) => Promise<readonly Readonly<Record<string, string>>[]>

const QUERY_RESULT = /^query_result\(([\s\S]*)\)$/

/** The query of a variable whose values are in the answer to it; `undefined` for others. */
export const queryOf = ({ query }: Pick<BoardVariable, 'query'>): string | undefined =>
  typeof query === 'string' ? QUERY_RESULT.exec(query)?.[1] : undefined

/**
 * What Grafana puts into queries for the variables of a dashboard, by name: everything is selected, except for `chosen`.
 * Variables whose values Prometheus gives are asked for, in their order. `fill` puts values into a query.
 */
export async function valuesOf(
  variables: readonly BoardVariable[],
  fill: (expr: string, values: ReadonlyMap<string, string>) => string,
  ask: AskSeries,
  chosen: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>()
  for (const variable of variables) {
    const query = queryOf(variable)
    const { name, type, allValue = '.*', current } = variable
    if (name in chosen) values.set(name, chosen[name]!)
    else if (query !== undefined)
      values.set(name, text(variable, found(variable, await ask(fill(query, values)))))
    else values.set(name, type === 'query' ? allValue : (current?.value ?? ''))
  }
  return values
}

/** The part of each series, written as Grafana writes it, that the regular expression of the variable takes. */
function found({ regex = '' }: BoardVariable, series: Awaited<ReturnType<AskSeries>>): string[] {
  const taken = new RegExp(regex.slice(1, -1))
  const texts = series.map((labels) => {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
    return `{${pairs.join(',')}} 1 1`
  })
  return [...new Set(texts.flatMap((one) => taken.exec(one)?.[1] ?? []))]
}

/** Several values as a regular expression; `()` for none. Of one that takes a single value, the first. */
const text = ({ multi = false }: BoardVariable, values: readonly string[]): string => {
  if (!multi) return values[0] ?? ''
  return values.length === 1 ? values[0]! : `(${values.join('|')})`
}
