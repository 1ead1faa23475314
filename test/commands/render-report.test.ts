import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { renderReport } from '../../src/commands/render-report.ts'
import { writeCorpus } from '../../src/simulate/corpus.ts'
import { createManualClock, NOON, temporaryDirectory } from '../setup/exporter.ts'

const deps = () => ({ clock: createManualClock(NOON), signal: new AbortController().signal })

test.each([
  ['markdown', /^# /],
  ['html', /^<!doctype html>/i],
  ['json', /^\{/],
] as const)('the scheduled report comes as %s', async (format, beginning) => {
  const trace = path.join(temporaryDirectory(), 'audit_trace.jsonl')
  await writeCorpus([trace], { seed: 1, size: { builds: 30 }, startMs: NOON - 86_400_000, spanMs: 3_600_000 })
  expect(await renderReport([trace], format, deps())).toMatch(beginning)
})

test('a report over fewer traces than were given is none', async () => {
  const directory = path.join(temporaryDirectory(), 'audit_trace.jsonl')
  mkdirSync(directory)
  const missing = path.join(directory, 'nowhere.jsonl')
  await expect(renderReport([missing], 'json', deps())).rejects.toThrow('does not exist')
})
