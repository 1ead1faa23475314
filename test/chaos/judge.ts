import { until } from '../setup/process.ts'
import { seriesKey } from '../setup/exposition.ts'
import type { Prometheus } from '../setup/prometheus.ts'
import { samplesOf, type Truth } from './truth.ts'

export interface Mismatch {
  readonly where: string
  readonly series: string
  readonly expected: number | undefined
  readonly got: number | undefined
}

/** Counts that the daemon keeps over crashes; how often it noticed a rename depends on when it looked. */
const EXACT =
  /^audit_(?!exporter_|builds_in_progress|context_(?!entries_)|last_entry_)\w+|^audit_exporter_(?:read_bytes|rejected_lines|entry_warnings|label_overflow)_total/u

/** Every exact series of a scrape against the truth, in both directions. */
export function compareTotals(where: string, truth: Truth, scraped: ReadonlyMap<string, number>): Mismatch[] {
  const expected = samplesOf(truth, scraped)
  const mismatches: Mismatch[] = []
  for (const [series, value] of expected) {
    const got = scraped.get(series)
    if (got === undefined || !equal(value, got)) mismatches.push({ where, series, expected: value, got })
  }
  for (const [series, got] of scraped) {
    // Some series stand at zero before anything is counted.
    if (EXACT.test(series) && got !== 0 && !expected.has(series))
      mismatches.push({ where, series, expected: undefined, got })
  }
  const open = scraped.get('audit_builds_in_progress')
  if (open !== truth.openBuilds)
    mismatches.push({ where, series: 'audit_builds_in_progress', expected: truth.openBuilds, got: open })
  return mismatches
}

/** Whole numbers exactly; sums of fractions as far as the order of adding allows. */
const equal = (a: number, b: number): boolean =>
  Number.isInteger(a) && Number.isInteger(b) ? a === b : Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a))

type Matrix = { result: { metric: Record<string, string>; values: [number, string][] }[] }

/**
 * Everything that one Prometheus has stored: no counter ever fell, and its own `increase()` from its first
 * scrape to its last equals, for each series, what was written in between.
 */
export async function compareIncreases(
  server: Prometheus,
  baseline: Truth,
  truth: Truth,
  scraped: ReadonlyMap<string, number>,
): Promise<{ samples: number; mismatches: Mismatch[] }> {
  const before = stored(samplesOf(baseline, scraped))
  const after = stored(samplesOf(truth, scraped))
  const [up] = await server.instant('up')
  const job = up?.labels['job'] ?? ''
  const { first, last } = await firstAndLastScrape(server)
  const mismatches: Mismatch[] = []
  let samples = 0
  const names = new Set([...after.keys()].map((key) => key.replace(/\{.*/su, '')))
  const { version } = await server.api<{ version: string }>('status/buildinfo')
  // A range begins with its first sample; since version 3 it leaves out what lies right at its start.
  const rangeMs = last - first + (version.startsWith('2.') ? 0 : 1)

  for (const name of names) {
    const raw = await matrix(server, `${name}[${rangeMs}ms]`, last)
    const increases = new Map(
      (await server.instant(`increase(${name}[${rangeMs}ms])`, last)).map(({ labels, value }) => [
        keyOf(name, labels),
        value,
      ]),
    )
    for (const { metric, values } of raw.result) {
      const series = keyOf(name, metric)
      if (!EXACT.test(series)) continue
      samples += values.length
      const wanted = (after.get(series) ?? 0) - (before.get(series) ?? 0)
      const numbers = values.map(([, value]) => Number(value))
      const falls = numbers.findIndex((value, i) => value < (numbers[i - 1] ?? 0))
      if (falls >= 0)
        mismatches.push({
          where: `${job}: falls at sample ${falls}`,
          series,
          expected: numbers[falls - 1],
          got: numbers[falls],
        })
      const seen = (numbers.at(-1) ?? 0) - (numbers[0] ?? 0)
      if (!equal(seen, wanted))
        mismatches.push({ where: `${job}: last - first`, series, expected: wanted, got: seen })
      const increase = increases.get(series)
      const tolerance = Number.isInteger(wanted) ? 0.5 : 1e-6 * Math.max(1, wanted)
      if (increase === undefined || Math.abs(increase - wanted) >= tolerance)
        mismatches.push({ where: `${job}: increase()`, series, expected: wanted, got: increase })
      after.delete(series)
    }
  }
  for (const [series, expected] of after)
    mismatches.push({ where: `${job}: no samples`, series, expected, got: undefined })
  return { samples, mismatches }
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  const { __name__: _, job: __, instance: ___, ...own } = labels
  return seriesKey(name, own)
}

/** By the keys under which Prometheus keeps them: a label without a value is none. */
const stored = (samples: ReadonlyMap<string, number>): Map<string, number> =>
  new Map(
    [...samples].map(([key, value]) => [
      key
        .replaceAll(/(?<=[{,])\w+="",?/gu, '')
        .replace(/,\}$/u, '}')
        .replace(/\{\}$/u, ''),
      value,
    ]),
  )

const matrix = (server: Prometheus, query: string, timeMs: number): Promise<Matrix> =>
  server.api<Matrix>(`query?${new URLSearchParams({ query, time: String(timeMs / 1000) }).toString()}`)

/** Times of the first good scrape, and of one that began after this was called. */
async function firstAndLastScrape(server: Prometheus): Promise<{ first: number; last: number }> {
  const since = Date.now()
  const times = await until('two more scrapes', async () => {
    const { result } = await matrix(server, 'audit_exporter_ready[1d]', Date.now())
    const all = result[0]?.values.map(([seconds]) => Math.round(seconds * 1000)) ?? []
    return all.filter((time) => time > since).length >= 2 ? all : undefined
  })
  return { first: times[0] as number, last: times.at(-1) as number }
}
