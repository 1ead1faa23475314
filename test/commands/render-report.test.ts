import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { ReportFormat } from '../../src/capture/temporal/types.ts'
import { renderReport } from '../../src/commands/render-report.ts'
import { writeCorpus } from '../../src/simulate/corpus.ts'
import { createManualClock, NOON, temporaryDirectory } from '../setup/exporter.ts'

const render = (traces: readonly string[], format: ReportFormat): Promise<string> =>
  renderReport(traces, format, new AbortController().signal, createManualClock(NOON))

test.each([
  ['markdown', /^# /],
  ['html', /^<!doctype html>/i],
  ['json', /^\{/],
] as const)('the scheduled report comes as %s', async (format, beginning) => {
  const trace = path.join(temporaryDirectory(), 'audit_trace.jsonl')
  await writeCorpus([trace], { seed: 1, size: { builds: 30 }, startMs: NOON - 86_400_000, spanMs: 3_600_000 })
  expect(await render([trace], format)).toMatch(beginning)
})

test('a report fails if a trace cannot be read', async () => {
  const directory = path.join(temporaryDirectory(), 'audit_trace.jsonl')
  mkdirSync(directory)
  const missing = path.join(directory, 'nowhere.jsonl')
  await expect(render([missing], 'json')).rejects.toThrow('does not exist')
})

test('a report over no traces yet is an empty one', async () => {
  const report = JSON.parse(await render([], 'json')) as { input: unknown }
  expect(report.input).toMatchObject({ files: 0, entries: 0 })
  expect(await render([], 'markdown')).toMatch(/^# /)
})
