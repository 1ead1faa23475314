import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Report } from '../../src/audits/schema.ts'
import { check } from '../../src/commands/check.ts'
import { backfillOptions } from '../../src/commands/backfill-flags.ts'
import { backfill } from '../../src/commands/backfill.ts'
import { parseFlags } from '../../src/config/flags.ts'
import { reportText } from '../audits/report-setup.ts'
import { createEngineWorld } from '../setup/engine.ts'
import { entry, lines } from '../setup/entries.ts'
import { createManualClock, openExporter, temporaryDirectory } from '../setup/exporter.ts'

// Entries that share a line, because a writer was interrupted or wrote no newline.

const HOUR_MS = 3_600_000
const at = (second: number) => ({ timestamp: `2026-11-20T09:00:0${second}.000Z`, prompt_token_count: 5 })
const json = (fields: object): string => lines({ ...entry(), ...fields }).trimEnd()
const A = json({ ...at(1), step_name: 'scaffold' })
const B = json({ ...at(2), step_name: 'implement_v1' })
const C = json({ ...at(3), step_name: 'implement_v2' })
const D = json({ ...at(4), step_name: 'scaffold' })
const TORN = '{"workflow_run_id":"r1","step_na'
const HALF = Buffer.from('{"workflow_run_id":"ü').subarray(0, -1)
const CONTENT = Buffer.concat([
  Buffer.from(`${TORN}${A}\n${B}${C}\r\n`),
  HALF,
  Buffer.from(`${D}\n${TORN}\n`),
])
const REJECTED_BYTES = 2 * TORN.length + HALF.length + 1

test('whole entries count with a warning, torn ones are rejected, and every byte is accounted for', async () => {
  const world = await createEngineWorld()
  appendFileSync(world.trace, CONTENT)
  await world.read()
  world.clock.advance(60_000)
  await world.scrape()
  world.clock.advance(60_000)
  const samples = await world.scrape()
  const sum = (start: string): number =>
    [...samples].filter(([key]) => key.startsWith(start)).reduce((all, [, value]) => all + value, 0)
  expect(sum('audit_entries_total{')).toBe(4)
  expect(sum('audit_tokens_total{')).toBe(20)
  expect(samples.get('audit_exporter_entry_warnings_total{reason="welded"}')).toBe(4)
  expect(samples.get('audit_exporter_rejected_lines_total{reason="invalid_json"}')).toBe(2)
  expect(samples.get('audit_exporter_rejected_lines_total{reason="invalid_utf8"}')).toBe(1)
  expect(samples.get('audit_exporter_read_bytes_total{result="rejected"}')).toBe(REJECTED_BYTES)
  expect(samples.get('audit_exporter_read_bytes_total{result="counted"}')).toBe(
    CONTENT.length - REJECTED_BYTES,
  )
})

test('report, backfill and check find the same entries', async () => {
  const directory = temporaryDirectory()
  appendFileSync(path.join(directory, 'audit_trace.jsonl'), CONTENT)
  const { totals } = JSON.parse(await reportText(directory)) as Report
  expect(totals).toMatchObject({ entries: 4 })

  const nowMs = Date.parse('2026-11-20T12:00:00Z')
  const state = path.join(temporaryDirectory(), 'state')
  const flags = parseFlags(backfillOptions, { paths: [directory], out: temporaryDirectory(), state })
  const clock = createManualClock(nowMs - HOUR_MS)
  await backfill(flags, {
    clock,
    log: { warn: () => undefined, error: () => undefined } as never,
    signal: new AbortController().signal,
    print: () => undefined,
    complain: () => undefined,
  })
  const continued = openExporter({ roots: [directory], state, clock })
  const fresh = openExporter({ roots: [directory], state: path.join(temporaryDirectory(), 'state'), clock })
  await continued.firstPass()
  await fresh.firstPass()
  const counts = (samples: Map<string, number>) =>
    new Map([...samples].filter(([key]) => /^audit_(?!exporter_(state|commit|context|series))/.test(key)))
  expect(counts(await continued.scrape())).toEqual(counts(await fresh.scrape()))

  const printed: string[] = []
  const options = {
    fileName: 'audit_trace.jsonl',
    maxLineBytes: 1 << 20,
    followSymlinks: false,
    strict: false,
  }
  await check({ ...options, paths: [directory] }, (line) => printed.push(line.replace(/^.*jsonl:/, '')))
  expect(printed.map((line) => line.slice(0, 3))).toEqual(['1: ', '1: ', '2: ', '2: ', '3: ', '3: ', '4: '])
})
