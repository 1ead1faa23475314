import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { reportSchema, type Report } from '../../src/audits/schema.ts'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { entry, HASH_A, HASH_B, lines } from '../setup/entries.ts'
import { reportOptions } from '../../src/commands/report-flags.ts'
import { report } from '../../src/commands/report.ts'
import { parseFlags } from '../../src/config/flags.ts'
import { createManualClock, temporaryDirectory } from '../setup/exporter.ts'
import { corpus, expectAlmostEqual, NOW, reportText } from './report-setup.ts'

interface Independent {
  readonly [key: string]: unknown
}

const independent = (directory: string): Independent =>
  JSON.parse(
    execFileSync('python3', [path.join(import.meta.dirname, 'independent.py'), directory, String(NOW)], {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as Independent

const keyed = <T>(rows: readonly T[], key: (row: T) => string, value: (row: T) => unknown) =>
  Object.fromEntries(rows.map((row) => [key(row), value(row)]))

/** What the command complains of; the paths that it is given do not exist where it must not come to reading. */
async function asked(directory: string, flags: Record<string, string>): Promise<string[]> {
  const complaints: string[] = []
  const paths = Object.keys(flags).length === 0 ? [directory] : [path.join(directory, 'missing')]
  await report(parseFlags(reportOptions, { paths, ...flags }), {
    clock: createManualClock(NOW),
    signal: new AbortController().signal,
    print: () => undefined,
    complain: (line) => complaints.push(line),
  })
  return complaints
}

/** The report in the form of the independent computation. */
function comparable(report: Report): Independent {
  const { totals, token_efficiency: tokens, constraint_effectiveness: constraints } = report
  const { prompt_refinement: prompts, context_volatility: volatility } = report
  const sumOf = (estimate: { value: number } | null, n: number) => Math.round((estimate?.value ?? 0) * n)
  return {
    entries: totals.entries,
    tokens: totals.tokens,
    builds: Object.fromEntries(Object.entries(totals.builds).filter(([, n]) => n > 0)),
    build_tokens: totals.build_tokens,
    per_success: totals.tokens_per_successful_build,
    fix_cost: keyed(
      tokens.fix_cost,
      (row) => row.error_type,
      (row) => [row.fixes, row.tokens, row.completion_tokens, row.error_log_chars],
    ),
    prompt_share: keyed(
      tokens.prompt_share,
      (row) => row.phase,
      (row) => [row.context_tokens, row.instruction_tokens],
    ),
    steps: keyed(
      tokens.steps,
      (row) => row.step,
      (row) => [row.entries, row.tokens],
    ),
    error_types: keyed(
      constraints.error_types,
      (row) => row.error_type,
      (row) => [row.failures, row.builds, row.rework_tokens],
    ),
    revisions: constraints.revisions.map((row) => [
      row.context_hash,
      row.builds,
      row.first_pass,
      row.tokens,
      row.successes,
      keyed(
        row.first_failures,
        (failure) => failure.error_type,
        (failure) => failure.builds,
      ),
    ]),
    implement: keyed(
      prompts.implement,
      (row) => row.instruction_version,
      (row) => [row.steps, sumOf(row.completion_tokens, row.steps), row.builds, row.first_pass],
    ),
    fixes: keyed(
      prompts.fixes,
      (row) => row.instruction_version,
      (row) => [row.fixes, sumOf(row.completion_tokens, row.fixes), row.judged, row.passed],
    ),
    changes: volatility.changes,
    days: keyed(
      volatility.days,
      (row) => row.day,
      (row) => [row.revisions, row.validations, row.passed, row.tokens],
    ),
  }
}

test.each(['one', 'two', 'three'])(
  'the report on the random corpus %s equals an independent computation',
  async (seed) => {
    const directory = await corpus({ seed, size: { builds: 400 }, extensionShare: 0.6 })
    const report = JSON.parse(await reportText(directory)) as Report
    expect(comparable(report)).toEqual(independent(directory))
    expect(report.totals.entries).toBeGreaterThan(1_000)
    expect(() => reportSchema.parse(report)).not.toThrow()
  },
)

test('the report on entries that lack or contradict themselves equals an independent computation', async () => {
  const directory = temporaryDirectory()
  const odd: Partial<OptimizationLogEntry>[] = [
    { step_name: 'scaffold', total_token_cost: 11 },
    { step_name: 'implement', completion_token_count: 500 },
    { step_name: 'verify', validation_status: 'fail', validation_error_type: 'TSC_ERROR', error_full: 'x' },
    {
      step_name: 'fix_1',
      validation_status: 'fail',
      prompt_token_count: 100,
      total_token_cost: 50,
      error_full: 'xy',
    },
    { step_name: 'fix_2', completion_token_count: 7, total_token_cost: 9 },
    { step_name: 'verify', validation_status: 'pass', context_file_hash: HASH_A },
    { step_name: 'report', prompt_token_count: 70, context_file_hash: HASH_B },
    { step_name: 'report', completion_token_count: 30, total_token_cost: 20 },
  ]
  const start = Date.parse('2026-09-01T00:00:00Z')
  const trace = odd.map((fields, i) =>
    entry({ timestamp: new Date(start + i * 60_000).toISOString(), ...fields }),
  )
  writeFileSync(path.join(directory, 'audit_trace.jsonl'), lines(...trace))
  const report = JSON.parse(await reportText(directory)) as Report
  expect(comparable(report)).toEqual(independent(directory))
  expect(report.totals).toMatchObject({ tokens: 720, build_tokens: 720 })
})

test('a report on a part of the time counts what lies in it, and both parts together are the whole', async () => {
  const directory = await corpus({ seed: 'parts', size: { builds: 200 } })
  const parse = async (flags: { since?: string; until?: string }) =>
    JSON.parse(await reportText(directory, flags)) as Report
  const [whole, before, after] = await Promise.all([
    parse({}),
    parse({ until: '2026-09-05' }),
    parse({ since: '2026-09-05' }),
  ])
  expect(before.totals.entries).toBeGreaterThan(100)
  expect(before.totals.entries + after.totals.entries).toBe(whole.totals.entries)
  for (const outcome of ['first_pass', 'after_rework', 'failed', 'abandoned'] as const) {
    expect(before.totals.builds[outcome] + after.totals.builds[outcome]).toBe(whole.totals.builds[outcome])
  }
  expect(before.period.last_entry?.slice(0, 10)).toBe('2026-09-04')
  expect(after.constraint_effectiveness.revisions.map(({ version }) => version)).toContain('v5')
})

test('little data is called little data', async () => {
  const report = JSON.parse(await reportText(await corpus({ seed: 'few', size: { builds: 20 } }))) as Report
  expect(report.insights.filter(({ kind }) => kind === 'finding')).toEqual([])
  expect(report.confirmed).toEqual([])
  expect(report.method.comparisons).toBe(0)
  expect(report.not_enough_data).toContainEqual(
    expect.stringMatching(/^GEMINI\.md v1 to v2, closed builds: \d+ and \d+; 20 each are needed\.$/u),
  )
})

test('invalid options and unwritable files are reported before anything is read', async () => {
  const directory = temporaryDirectory()
  const refused = async (flags: Record<string, string>): Promise<string> => {
    const read = await asked(directory, flags).catch((error: Error) => `${error.name}: ${error.message}`)
    return String(read)
  }
  expect(await refused({ since: '2026-09-05', until: '2026-09-04' })).toMatch(
    /^UsageError: --since: .*not before/u,
  )
  expect(await refused({ since: '2026-02-30' })).toMatch(/^UsageError: --since: "2026-02-30" is not/u)
  expect(await refused({ out: directory })).toBe(
    `Error: --out: cannot write to ${directory}: it is a directory`,
  )
  expect(await refused({ export: '/no/such/rows.parquet' })).toMatch(
    /^Error: --export: cannot write to .*ENOENT/u,
  )
})

test('the report says if a directory has no traces', async () => {
  const directory = temporaryDirectory()
  expect(await asked(directory, {})).toContain(`No audit_trace.jsonl was found below ${directory}.`)
})

test('a history that is kept in temporary files gives the figures of one that is held in memory', async () => {
  const directory = await corpus({ seed: 'spilt', size: { builds: 3_000 } }, 20)
  const [inMemory, onDisk] = await Promise.all(
    [4 * 2 ** 30, 128 * 2 ** 20].map(
      async (memory) => JSON.parse(await reportText(directory, { memory })) as Report,
    ),
  )
  expectAlmostEqual(onDisk, inMemory)
  expect(readdirSync(directory)).toHaveLength(20)
})
