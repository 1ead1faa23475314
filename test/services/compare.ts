import { expect } from 'vitest'
import { exactIncrease } from '../../prometheus/increase.ts'
import { until } from '../setup/process.ts'
import type { Prometheus } from '../setup/prometheus.ts'

/** What has been written to all traces together. */
export interface Written {
  readonly entries: number
  readonly builds: number
  readonly tokens: number
}

/** Answers to queries: values by labels, by the name of the query. */
export type Answers = Readonly<Record<string, Readonly<Record<string, string>>>>

/**
 * Samples by labels; numbers with 12 digits, because floating-point sums depend on their order. A bound is a number:
 * Prometheus 3 writes `le="30.0"` where it scrapes, and `le="30"` where it receives pushes.
 */
async function answer(
  { url }: Prometheus,
  query: string,
  timeMs: number,
): Promise<Readonly<Record<string, string>>> {
  const body = new URLSearchParams({ query, time: String(timeMs / 1000) })
  const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body })
  const { data, error } = (await response.json()) as {
    error?: string
    data: { result: { metric: Record<string, string>; value: [number, string] }[] }
  }
  if (error !== undefined) throw new Error(`${query}: ${error}`)
  return Object.fromEntries(
    data.result
      .map(({ metric: { le, ...metric }, value }): [string, string] => {
        const labels =
          le === undefined ? metric : { ...metric, le: String(Number(le.replace('Inf', 'Infinity'))) }
        return [
          JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))),
          Number(value[1]).toPrecision(12),
        ]
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** The answers to all queries at one time. */
export async function answers(
  server: Prometheus,
  queries: ReadonlyMap<string, string>,
  timeMs: number,
): Promise<Answers> {
  const found: Record<string, Readonly<Record<string, string>>> = {}
  for (const [name, query] of queries) found[name] = await answer(server, query, timeMs)
  return found
}

/** The names of the queries without any answer. */
export const emptyOf = (found: Answers): string[] =>
  Object.entries(found)
    .filter(([, samples]) => Object.keys(samples).length === 0)
    .map(([name]) => name)

const EXACT: readonly [metric: string, what: keyof Written, where?: string][] = [
  ['audit_entries_total', 'entries'],
  ['audit_builds_total', 'builds'],
  ['audit_step_token_cost_count', 'entries'],
  ['audit_tokens_total', 'tokens', 'type=~"prompt|completion"'],
]

/**
 * Waits until the exact increases of the last hour are what was written, on each server, and its rules have been
 * evaluated since. Returns the time of that, in whole seconds; what is written next belongs to the time after it.
 */
export async function settled(servers: readonly Prometheus[], written: Written): Promise<number> {
  for (const server of servers) {
    for (const [name, what, where = ''] of EXACT) {
      const query = `sum(${exactIncrease({ name, where, window: '1h' })})`
      let last: number | undefined
      await until(
        `the increase of ${name} is ${written[what]}`,
        async () => {
          last = (await server.instant(query))[0]?.value
          return last === written[what] || undefined
        },
        { detail: () => `It is ${String(last)} on ${server.url}.` },
      )
    }
  }
  const completeMs = Date.now()
  for (const server of servers) {
    await until('the revisions have been evaluated since', async () => {
      const { groups } = await server.api<{ groups: { name: string; lastEvaluation: string }[] }>('rules')
      const { lastEvaluation } = groups.find(({ name }) => name === 'audit-revisions')!
      return Date.parse(lastEvaluation) > completeMs || undefined
    })
  }
  const nowMs = Math.ceil(Date.now() / 1000) * 1000
  await until('that second has passed', () => Date.now() > nowMs || undefined)
  return nowMs
}

/** Fails for a series of the audits that falls or does not begin at zero; returns its last value, by its labels. */
export async function risen(
  server: Prometheus,
  window: string,
): Promise<{ labels: Record<string, string>; value: number }[]> {
  const query = `{__name__=~"audit_.+_(total|count|sum)",__name__!~"audit_exporter.*"}[${window}]`
  const { result } = await server.api<{
    result: { metric: Record<string, string>; values: [number, string][] }[]
  }>(`query?${new URLSearchParams({ query }).toString()}`)
  return result.map(({ metric, values }) => {
    const numbers = values.map(([, value]) => Number(value))
    expect(numbers[0], `${JSON.stringify(metric)} begins at zero`).toBe(0)
    expect(numbers, `${JSON.stringify(metric)} never falls`).toEqual(numbers.toSorted((a, b) => a - b))
    return { labels: metric, value: numbers.at(-1)! }
  })
}
