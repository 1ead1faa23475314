import { appendFileSync, copyFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { writeCorpus } from '../../src/simulate/corpus.ts'
import { cheap, minute, NOW, range, verified } from '../audits/report-setup.ts'
import { parquetBelow, reportAt } from '../rows/rows-setup.ts'
import { entry, HASH_A, HASH_B, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'

const FILE = 'audit_trace.jsonl'
const DAY = 86_400_000

/** Rows of two machines, each written by two runs, with everything that a reader can get wrong. */
export interface SharedRows {
  /** The directories of both machines are below it. */
  readonly directory: string
  /** When the reports are made: some builds have timed out since the rows were written, others are in progress. */
  readonly nowMs: number
}

export async function sharedRows(): Promise<SharedRows> {
  const directory = path.join(temporaryDirectory(), 'shared rows + 100 %')
  for (const [i, machine] of ['one', 'two'].entries()) {
    const traces = temporaryDirectory()
    const file = path.join(traces, FILE)
    const rows = path.join(directory, machine)
    mkdirSync(rows, { recursive: true })
    await writeCorpus([path.join(traces, 'simulated', FILE)], {
      seed: machine,
      size: { builds: 220 },
      startMs: Date.parse('2026-11-08T00:00:00Z'),
      spanMs: 8 * DAY,
      extensionShare: 0.8,
    })
    appendFileSync(file, lines(...special(machine).slice(0, 40)))
    await reportAt({ paths: [traces], rows, nowMs: NOW - DAY })
    appendFileSync(file, lines(...special(machine).slice(40), ...(i === 0 ? recent() : [])))
    await reportAt({ paths: [traces], rows, nowMs: NOW - 3_000_000 })
    leaveRestOfKilledRun(rows)
  }
  return { directory, nowMs: NOW }
}

/** Entries that differ from those of simulated builds. */
function special(machine: string): OptimizationLogEntry[] {
  const id = (n: number): string => `${machine}-special-${n}`
  const at = (hours: number): string => minute(60 * hours)
  const used = (n: number, version: string, more: Partial<OptimizationLogEntry> = {}) =>
    entry({
      workflow_run_id: id(n),
      timestamp: at(n),
      instruction_version: version,
      instruction_assignment: 'draw "1"',
      prompt_token_count: 900 + n,
      completion_token_count: 100 + 7 * (n % 13),
      ...more,
    })
  return [
    // Prompt versions drawn at random, and one build with two of them.
    ...range(60).flatMap((n) => [
      used(n, n % 2 === 0 ? 'plain' : "it's short", { context_file_hash: n % 3 === 0 ? HASH_A : HASH_B }),
      verified(id(n), 60 * n + 1, n % 4 === 0 ? 'fail' : 'pass', {
        project: ['a/b', 'x=y', 'größe +1 %', '*'][n % 4] as string,
      }),
      ...(n % 8 === 0
        ? [
            used(n, 'fix', { step_name: 'fix_attempt_1', error_log_size_chars: n }),
            verified(id(n), 60 * n + 3, 'pass'),
          ]
        : []),
    ]),
    used(61, 'plain'),
    used(61, "it's short"),
    verified(id(61), 60 * 61 + 1, 'pass'),
    // A late entry, an error type in need of quotes, a fix that nothing answers, one without tokens.
    used(62, 'plain', { total_token_cost: 12 }),
    verified(id(63), 60 * 63, 'fail', { validation_error_type: "odd 'type'", context_file_hash: HASH_A }),
    entry({
      workflow_run_id: id(63),
      step_name: 'fix_attempt_1',
      timestamp: at(63.1),
      context_file_hash: HASH_B,
    }),
    used(63, 'fix', { step_name: 'fix_attempt_2', timestamp: at(63.2), validation_status: 'pass' }),
    used(63, 'fix', {
      step_name: 'fix_attempt_3',
      timestamp: at(63.3),
      validation_status: 'fail',
      validation_error_type: 'X',
    }),
    used(63, 'fix', {
      step_name: 'fix_attempt_4',
      timestamp: at(63.4),
      cost_usd: 0.25,
      model: 'gemini-3-pro',
    }),
    ...cheap(id(64), 60 * 64, 5, HASH_B),
    entry({ workflow_run_id: id(64), step_name: 'implement_v2', timestamp: at(64.3), total_token_cost: 77 }),
  ]
}

/** Two builds are not settled when the rows are written: one times out until the report, one does not. */
const recent = (): OptimizationLogEntry[] => [
  // A revision that was in use long before.
  ...cheap('again', 60 * 24 * 72, 9, HASH_A),
  entry({
    workflow_run_id: 'idle',
    timestamp: new Date(NOW - 3_900_000).toISOString(),
    total_token_cost: 40,
  }),
  entry({
    workflow_run_id: 'busy',
    timestamp: new Date(NOW - 3_100_000).toISOString(),
    total_token_cost: 41,
  }),
]

/** A Parquet file that the manifest does not list. */
function leaveRestOfKilledRun(rows: string): void {
  const file = parquetBelow(rows).find((name) => name.startsWith('entries'))!
  copyFileSync(path.join(rows, file), path.join(rows, path.dirname(file), 'run-000099-0.parquet'))
}
