import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { loadDatabase } from '../../src/audits/database.ts'
import { makeReport } from '../../src/audits/report.ts'
import type { Report } from '../../src/audits/schema.ts'
import { literal } from '../../src/audits/sql.ts'
import { createSums } from '../../src/audits/sums.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { corpus, expectAlmostEqual, NOW, reportText } from './report-setup.ts'

test('builds that are summed up in parts, as memory demands, give the report of all at once', async () => {
  const file = path.join(temporaryDirectory(), 'rows.parquet')
  const text = await reportText(await corpus({ seed: 'parts', size: { builds: 300 } }), { export: file })
  const { totals, input } = JSON.parse(text) as Report
  const open = await loadDatabase()
  const reportIn = async (parts: number): Promise<Report> => {
    const database = await open({ memoryBytes: 1 << 30 })
    onTestFinished(() => database.close())
    await database.entriesFrom(
      `SELECT *, epoch_ms(ts)::DOUBLE AS ts_ms, row_number() OVER () AS seq FROM read_parquet(${literal(file)})`,
      true,
    )
    await database.run(`CREATE TABLE closed AS
      SELECT run_id, any_value(build_outcome) AS outcome, max(ts_ms) AS last_entry_ms,
        any_value(context_file_hash) AS context_file_hash, any_value(project) AS project
      FROM all_entries GROUP BY run_id`)
    await createSums(database, { closed: 'closed', parts })
    return await makeReport(database, {
      period: { sinceMs: undefined, untilMs: undefined },
      input,
      nowMs: NOW,
      progress: { update: () => undefined, end: () => undefined },
    })
  }
  const whole = await reportIn(1)
  expect(whole.totals.builds).toEqual(totals.builds)
  expect(whole.prompt_refinement.fixes.length).toBeGreaterThan(1)
  expectAlmostEqual(await reportIn(7), whole)
})
