import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect, onTestFinished, test } from 'vitest'
import { loadDatabase } from '../../src/audits/database.ts'
import type { Report } from '../../src/audits/schema.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { corpus, reportText } from './report-setup.ts'

test('the exported rows contain every entry as attributed, and add up to the totals of the report', async () => {
  const file = path.join(temporaryDirectory(), "rows with a ' in their name.parquet")
  const text = await reportText(await corpus({ seed: 'rows', size: { builds: 120 } }), { export: file })
  const report = JSON.parse(text) as Report

  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  onTestFinished(() => {
    connection.closeSync()
    instance.closeSync()
  })
  const reader = await connection.runAndReadAll(
    `SELECT count(*)::INTEGER AS entries, sum(total_tokens) AS tokens, min(ts)::VARCHAR AS first,
       (count(DISTINCT run_id) FILTER (build_outcome = 'first_pass'))::INTEGER AS first_pass,
       (count(*) FILTER (phase = 'rework' AND error_type = ''))::INTEGER AS unattributed
     FROM '${file.replaceAll("'", "''")}'`,
  )
  expect(reader.getRowObjectsJS()).toEqual([
    {
      entries: report.totals.entries,
      tokens: report.totals.tokens,
      first: report.period.first_entry?.replace('T', ' ').replace(/0*Z$/u, ''),
      first_pass: report.totals.builds.first_pass,
      unattributed: 0,
    },
  ])
})

test('without DuckDB the error says what to install', async () => {
  const missing = loadDatabase(() => Promise.reject(new Error("Cannot find package '@duckdb/node-api'")))
  await expect(missing).rejects.toThrow(/report and --rows need DuckDB.*npm install @duckdb\/node-api/u)
  const broken = loadDatabase(() => Promise.reject(new Error('libstdc++.so.6: version not found')))
  await expect(broken).rejects.toThrow('cannot load @duckdb/node-api: Error: libstdc++.so.6')
})
