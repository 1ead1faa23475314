import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { entry, lines } from '../setup/entries.ts'
import { NOON, temporaryDirectory } from '../setup/exporter.ts'
import { HOUR, runHere } from './backfill-setup.ts'

test('where a series begins, at the start of each day, and where the import ends, its value is kept', async () => {
  const directory = temporaryDirectory()
  const out = temporaryDirectory()
  const stamp = (agoMs: number): string => new Date(NOON - agoMs).toISOString()
  writeFileSync(
    path.join(directory, 'audit_trace.jsonl'),
    lines(
      entry({ timestamp: stamp(50 * HOUR), total_token_cost: 5 }),
      entry({ timestamp: stamp(26 * HOUR), total_token_cost: 7, workflow_run_id: 'second' }),
    ),
  )
  const { complete } = await runHere({ paths: [directory], out })
  expect(complete).toBe(true)
  const kept = readdirSync(out)
    .filter((name) => name.endsWith('.om'))
    .toSorted()
    .map((name) =>
      [
        ...readFileSync(path.join(out, name), 'utf8').matchAll(
          /^audit_entries_total:kept\{.*\} (\d+) (\d+)$/gmu,
        ),
      ].map(([, value, seconds]) => [Number(value), new Date(Number(seconds) * 1000).toISOString()]),
    )
  // Samples are 4 minutes apart: the zero before the first entry.
  expect(kept).toEqual([
    [[0, '2026-11-18T09:56:00.000Z']],
    [[1, '2026-11-19T00:00:00.000Z']],
    [
      [2, '2026-11-20T00:00:00.000Z'],
      [2, '2026-11-20T09:00:00.000Z'],
    ],
  ])
})
