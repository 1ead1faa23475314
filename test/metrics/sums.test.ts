import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createEngineWorld, type EngineWorld } from '../setup/engine.ts'
import { HOLD_MS, settle } from '../setup/series.ts'

const DAY_MS = 86_400_000
const hash = (digit: string): string => digit.repeat(64)

/** Sums, what they add up, and the labels by which they do. */
const SUMS = [
  ['audit_overall_entries_total', 'audit_entries_total', ['step', 'phase', 'status', 'error_type']],
  ['audit_context_entries_total', 'audit_entries_total', ['phase', 'status', 'context_hash']],
  ['audit_overall_tokens_total', 'audit_tokens_total', ['step', 'phase', 'error_type', 'type']],
  ['audit_phase_entries_total', 'audit_entries_total', ['phase', 'status']],
  ['audit_phase_tokens_total', 'audit_tokens_total', ['phase', 'type']],
  ['audit_phase_rework_completion_tokens_total', 'audit_rework_completion_tokens_total', []],
  ['audit_phase_rework_error_log_chars_total', 'audit_rework_error_log_chars_total', []],
  ['audit_overall_prompt_tokens_total', 'audit_prompt_tokens_total', ['phase', 'part']],
  ['audit_overall_rework_completion_tokens_total', 'audit_rework_completion_tokens_total', ['error_type']],
  ['audit_overall_rework_error_log_chars_total', 'audit_rework_error_log_chars_total', ['error_type']],
  ['audit_overall_builds_total', 'audit_builds_total', ['outcome', 'project']],
  ['audit_overall_build_tokens_total', 'audit_build_tokens_total', ['outcome', 'project']],
] as const
const METRICS = SUMS.map(([sum]) => sum)

/** The samples of a metric, added up by some labels. */
function sumBy(
  samples: ReadonlyMap<string, number>,
  metric: string,
  by: readonly string[],
): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const [key, value] of samples) {
    if (key !== metric && !key.startsWith(`${metric}{`)) continue
    const labels = by.map((label) => new RegExp(`[{,]${label}="([^"]*)"`).exec(key)?.[1] ?? '')
    sums[labels.join()] = (sums[labels.join()] ?? 0) + value
  }
  return sums
}

/** Everything that a metric shows. */
const totalOf = (samples: ReadonlyMap<string, number>, metric: string): number =>
  sumBy(samples, metric, [])[''] ?? 0
const totals = (samples: ReadonlyMap<string, number>) =>
  Object.fromEntries(METRICS.map((metric) => [metric, totalOf(samples, metric)]))

/** A failed verification, its fix and a passing one: each metric that has a sum counts. */
function build(world: EngineWorld, run: string, digit: string): void {
  const entry = {
    workflow_run_id: run,
    context_file_hash: hash(digit),
    prompt_token_count: 90,
    completion_token_count: 10,
    context_token_count: 30,
    instruction_token_count: 20,
    project: `team ${digit}`,
  }
  world.append(
    { ...entry, step_name: 'implement_v1' },
    {
      ...entry,
      step_name: 'initial_verification',
      validation_status: 'fail',
      validation_error_type: 'TSC_ERROR',
      error_full: 'x'.repeat(50),
    },
    { ...entry, step_name: 'fix_attempt_1' },
    { ...entry, step_name: 'final_verification', validation_status: 'pass' },
  )
}
const BUILD = {
  audit_overall_entries_total: 4,
  audit_context_entries_total: 4,
  audit_overall_tokens_total: 400,
  audit_phase_entries_total: 4,
  audit_phase_tokens_total: 400,
  audit_phase_rework_completion_tokens_total: 10,
  audit_phase_rework_error_log_chars_total: 50,
  audit_overall_prompt_tokens_total: 360,
  audit_overall_rework_completion_tokens_total: 10,
  audit_overall_rework_error_log_chars_total: 50,
  audit_overall_builds_total: 1,
  audit_overall_build_tokens_total: 400,
}
const times = (n: number) => Object.fromEntries(Object.entries(BUILD).map(([name, one]) => [name, n * one]))

function expectSums(
  samples: ReadonlyMap<string, number>,
  sums: readonly (typeof SUMS)[number][] = SUMS,
): void {
  for (const [sum, of, by] of sums) expect(sumBy(samples, sum, by), sum).toEqual(sumBy(samples, of, by))
}

test('each sum is what it adds up, by each of its labels', async () => {
  const world = await createEngineWorld()
  for (const [index, digit] of ['a', 'b', 'a', 'c'].entries()) build(world, `run-${index}`, digit)
  await world.read()
  const samples = await settle(world)
  expectSums(samples)
  expect(totals(samples)).toEqual(times(4))
  await world.restart()
  build(world, 'later', 'b')
  await world.read()
  const after = await settle(world)
  expectSums(after)
  expect(totals(after)).toEqual(times(5))
})

test('a new sum begins at zero with what it adds up, and rises after the hold', async () => {
  const world = await createEngineWorld()
  build(world, 'run', 'a')
  await world.read()
  expect(totals(await world.scrape())).toEqual(times(0))
  world.clock.advance(HOLD_MS)
  expect(totals(await world.scrape())).toEqual(times(1))
})

test('a sum over all revisions keeps what was counted under a revision that left the scrape', async () => {
  const world = await createEngineWorld({ flags: { maxContextHashes: '1' } })
  build(world, 'one', 'a')
  await world.read()
  await settle(world)
  world.clock.advance(31 * DAY_MS)
  build(world, 'two', 'b')
  await world.read()
  const samples = await settle(world)
  expect(totalOf(samples, 'audit_entries_total')).toBe(4)
  expect(totals(samples)).toEqual({ ...times(2), audit_context_entries_total: 4 })
  world.clock.advance(31 * DAY_MS)
  build(world, 'three', 'a')
  await world.read()
  const returned = await settle(world)
  // Revision a is back with its two builds, and b has left.
  expect(sumBy(returned, 'audit_context_entries_total', ['context_hash'])).toEqual({ aaaaaaaaaaaa: 8 })
  expect(totals(returned)).toEqual({ ...times(3), audit_context_entries_total: 8 })
})

/** The table of builds until version 9. */
const BUILDS_BY_ID = `
  CREATE TABLE builds_9 (
    run_id TEXT PRIMARY KEY, outcome TEXT, context TEXT, late_context TEXT, failing_error_type TEXT NOT NULL,
    failing_log_chars REAL, last_entry_ms REAL NOT NULL, failed INTEGER, passed_step INTEGER, rework_steps INTEGER,
    tokens REAL, started_ms REAL, idle_since_ms REAL, instructions TEXT, project TEXT
  ) STRICT, WITHOUT ROWID;
  INSERT INTO builds_9 SELECT run_id, outcome, context, late_context, failing_error_type, failing_log_chars,
    last_entry_ms, failed, passed_step, rework_steps, tokens, started_ms, idle_since_ms, instructions, project FROM builds;
  DROP TABLE builds;
  ALTER TABLE builds_9 RENAME TO builds;
  CREATE INDEX open_builds ON builds (run_id) WHERE outcome IS NULL;`

/** Makes the state what an older version would have written: builds by their ids, without sums, or without those by phase. */
function asVersion(version: 7 | 8, world: EngineWorld, further = ''): void {
  const database = new DatabaseSync(path.join(world.exporter.state, 'state.sqlite'))
  const later = METRICS.filter((name) => version === 7 || name.startsWith('audit_phase_'))
  const names = later.map((name) => `'${name.replace('audit_', 'audit.').replace('_total', '')}'`)
  database.exec(
    `DELETE FROM series WHERE metric IN (${names.join()}); PRAGMA user_version = ${version}; ${BUILDS_BY_ID} ${further}`,
  )
  database.close()
}

/** A world that has counted one build, and shows it. */
async function worldWithBuild(): Promise<EngineWorld> {
  const world = await createEngineWorld()
  build(world, 'one', 'a')
  await world.read()
  await settle(world)
  return world
}

test('sums of an older state begin with all that it holds, and rise by what is counted from then on', async () => {
  const world = await createEngineWorld({ flags: { maxContextHashes: '1' } })
  build(world, 'one', 'a')
  await world.read()
  await settle(world)
  world.clock.advance(31 * DAY_MS)
  build(world, 'two', 'b')
  await world.read()
  await settle(world)
  await world.restart(() => {
    asVersion(7, world)
    build(world, 'three', 'b')
  })
  // What was counted before its first scrape is an increase too: of both alike.
  const first = await world.scrape()
  expect(totals(first)).toEqual({ ...times(2), audit_context_entries_total: 4 })
  world.clock.advance(HOLD_MS)
  const second = await world.scrape()
  expect(totals(second)).toEqual({ ...times(3), audit_context_entries_total: 8 })
  // The revision that was hidden then returns with all that was counted under it.
  world.clock.advance(31 * DAY_MS)
  build(world, 'four', 'a')
  await world.read()
  const back = sumBy(await world.scrape(), 'audit_context_entries_total', ['context_hash'])
  expect(back).toEqual({ aaaaaaaaaaaa: 4 })
  world.clock.advance(HOLD_MS)
  const after = await world.scrape()
  expect(sumBy(after, 'audit_context_entries_total', ['context_hash'])).toEqual({ aaaaaaaaaaaa: 8 })
  expect(totals(after)).toMatchObject({ audit_overall_entries_total: 16, audit_overall_tokens_total: 1_600 })
})

test('what an older state held at zero rises in the sums, too', async () => {
  const world = await worldWithBuild()
  build(world, 'two', 'b')
  await world.read()
  const before = await world.scrape()
  expect(totalOf(before, 'audit_entries_total')).toBe(4)
  await world.restart(() => asVersion(7, world))
  expectSums(await world.scrape())
  world.clock.advance(HOLD_MS)
  const after = await world.scrape()
  expectSums(after)
  expect(totals(after)).toEqual(times(2))
})

test('sums by phase of a state that has only the other ones rise by what its series rise by', async () => {
  const world = await worldWithBuild()
  build(world, 'two', 'b')
  await world.read()
  await world.scrape()
  await world.restart(() => asVersion(8, world))
  const byPhase = SUMS.filter(([sum]) => sum.startsWith('audit_phase_'))
  expectSums(await world.scrape(), byPhase)
  world.clock.advance(HOLD_MS)
  const after = await world.scrape()
  expectSums(after)
  expect(totals(after)).toEqual(times(2))
})

test('sums of a first start that an older version began are part of its baseline', async () => {
  const world = await worldWithBuild()
  await world.restart(() => {
    asVersion(7, world, "DELETE FROM meta WHERE key = 'baseline_ended'; UPDATE series SET base = NULL")
    build(world, 'two', 'a')
  })
  const samples = await world.scrape()
  expectSums(samples)
  expect(totals(samples)).toEqual(times(2))
})

test('a number of an older state that is none is refused, and nothing is changed', async () => {
  const world = await worldWithBuild()
  const refused = world.restart(() =>
    asVersion(7, world, `UPDATE series SET data = '"7"' WHERE metric = 'audit.builds'`),
  )
  await expect(refused).rejects.toThrow('format 7 to 8: series of audit.builds')
})
