import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'vitest'
import type { Report } from '../../src/audits/schema.ts'
import { report } from '../../src/commands/report.ts'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { writeCorpus, type CorpusOptions } from '../../src/simulate/corpus.ts'
import { entry, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'

const START = Date.parse('2026-09-01T00:00:00Z')
const DAY = 86_400_000
/** Long after every corpus: all of its builds are closed. */
export const NOW = Date.parse('2026-11-20T12:00:00Z')

export type Corpus = Partial<CorpusOptions> & Pick<CorpusOptions, 'seed' | 'size'>

/** Writes a corpus of ten days into files of a directory of its own. */
export async function corpus(options: Corpus, files = 3): Promise<string> {
  const directory = temporaryDirectory()
  const paths = Array.from({ length: files }, (_, i) => path.join(directory, `${i}`, 'audit_trace.jsonl'))
  await writeCorpus(paths, { startMs: START, spanMs: 10 * DAY, extensionShare: 1, ...options })
  return directory
}

const clock = { wallMs: () => NOW, monotonicMs: () => 0 }

/** What the command writes. */
export async function reportText(
  directory: string,
  flags: {
    format?: 'md' | 'html' | 'json'
    since?: string
    until?: string
    export?: string
    memory?: number
  } = {},
): Promise<string> {
  const out = path.join(temporaryDirectory(), 'report')
  await report(
    {
      paths: [directory],
      fileName: 'audit_trace.jsonl',
      followSymlinks: false,
      maxLineBytes: 1 << 24,
      buildTimeout: 3_600_000,
      phase: [],
      memory: flags.memory ?? 1 << 30,
      temp: directory,
      format: flags.format ?? 'json',
      since: flags.since,
      until: flags.until,
      export: flags.export,
      out,
    },
    {
      clock,
      signal: new AbortController().signal,
      print: () => undefined,
      complain: () => undefined,
    },
  )
  return readFileSync(out, 'utf8')
}

/** The report on these entries, in whatever order they stand. */
export async function reportOnEntries(
  entries: readonly OptimizationLogEntry[],
  flags: Parameters<typeof reportText>[1] = {},
): Promise<Report> {
  return JSON.parse(await reportText(directoryOf(entries), { ...flags, format: 'json' })) as Report
}

/** A directory with one trace of these entries. */
export function directoryOf(entries: readonly OptimizationLogEntry[]): string {
  const directory = temporaryDirectory()
  writeFileSync(path.join(directory, 'audit_trace.jsonl'), lines(...entries))
  return directory
}

/** Moments of a corpus written by hand, minutes after its start. */
export const minute = (n: number): string => new Date(START + Math.round(n * 60_000)).toISOString()

export const reportOn = async (options: Corpus): Promise<Report> =>
  JSON.parse(await reportText(await corpus(options))) as Report

/** A verification of a build, `at` minutes after the start of the corpus. */
export const verified = (
  id: string,
  at: number,
  status: 'pass' | 'fail',
  more: Partial<OptimizationLogEntry> = {},
) =>
  entry({
    workflow_run_id: id,
    step_name: 'verify',
    timestamp: minute(at),
    validation_status: status,
    ...(status === 'fail' && { validation_error_type: 'TSC_ERROR' }),
    ...more,
  })

/** A build of one step that passes at once, `at` minutes after the start of the corpus. */
export const cheap = (id: string, at: number, tokens: number, hash: string): OptimizationLogEntry[] => [
  entry({ workflow_run_id: id, timestamp: minute(at), total_token_cost: tokens, context_file_hash: hash }),
  verified(id, at + 1, 'pass', { context_file_hash: hash }),
]

/** 0, 1, … n - 1 */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** All tested differences of a report, whether they need action or not. */
export const found = (report: Report) => [
  ...report.insights.filter(({ kind }) => kind === 'finding'),
  ...report.confirmed,
]

/** Expects the same values; numbers that are added up in another order may differ in their last digits. */
export function expectAlmostEqual(actual: unknown, expected: unknown, where = 'report'): void {
  if (typeof actual === 'number' && typeof expected === 'number')
    expect(Math.abs(actual - expected), where).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)))
  else if (isObject(actual) && isObject(expected)) {
    expect(Object.keys(actual), where).toEqual(Object.keys(expected))
    for (const key of Object.keys(expected)) expectAlmostEqual(actual[key], expected[key], `${where}.${key}`)
  } else expect(actual, where).toBe(expected)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
