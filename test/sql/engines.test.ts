import { expect, test } from 'vitest'
import { expectAlmostEqual, NOW } from '../audits/report-setup.ts'
import { reportAt } from '../rows/rows-setup.ts'
import { askClickHouse, askDuckDb, askSpark, statementsOf, type Question, type Tables } from './engines.ts'
import { canonical, figuresOfReport, figuresOfTables, VIEWS } from './figures.ts'
import { sharedRows } from './rows.ts'

const DAY = 86_400_000
const ALWAYS = 8_640_000_000_000_000

const FILES = [
  'views.sql',
  'totals.sql',
  'token-efficiency.sql',
  'constraint-effectiveness.sql',
  'prompt-refinement.sql',
  'context-volatility.sql',
]

type Period = readonly [sinceMs: number, untilMs: number]

const ALL: Period = [-ALWAYS, ALWAYS]
const SOME_DAYS: Period = [NOW - 9.5 * DAY, NOW - DAY]

/** Expects that docs/sql gives the figures of the report in these periods. */
async function expectReport(
  load: string,
  ask: (question: Question) => Promise<Tables[]>,
  periods: readonly Period[],
): Promise<void> {
  const { directory, nowMs } = await sharedRows()
  const rows = `${directory}/*`
  const answers = await ask({
    rows,
    statements: statementsOf(load, ...FILES),
    periods: periods.map(
      ([since, until]) => `CREATE OR REPLACE VIEW period AS
        SELECT ${since} AS since_ms, ${until} AS until_ms, ${nowMs} AS now_ms`,
    ),
    views: VIEWS,
  })
  for (const [i, [since, until]] of periods.entries()) {
    const iso = (ms: number) => (Math.abs(ms) === ALWAYS ? undefined : new Date(ms).toISOString())
    const report = await reportAt({ rows, nowMs, since: iso(since), until: iso(until) })
    const tables = answers[i] ?? {}
    expectAlmostEqual(canonical(figuresOfTables(tables, report)), canonical(figuresOfReport(report)))
    expect(tables['completeness']).toEqual([
      { entries_listed: report.input.entries, entries_loaded: report.input.entries },
    ])
  }
}

test('DuckDB calculates the figures of the report from the rows of two machines', async () => {
  await expectReport('load-duckdb.sql', askDuckDb, [ALL, SOME_DAYS])
})

test('ClickHouse calculates the figures of the report from the rows of two machines', async () => {
  await expectReport('load-clickhouse.sql', askClickHouse, [ALL, SOME_DAYS])
})

test('Spark calculates the figures of the report from the rows of two machines', async () => {
  // Spark takes a second for each view, and more for each that views are built upon.
  await expectReport('load-spark.sql', askSpark, [SOME_DAYS])
})
