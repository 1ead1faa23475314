import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { RECENT_BUILDS } from '../../src/recent/recent-builds.ts'
import { entry, HASH_A, lines } from '../setup/entries.ts'
import { NOON, startExporter, temporaryDirectory } from '../setup/exporter.ts'

/** Builds of one step each, a second apart; later ones are cheaper. */
const builds = (from: number, to: number): string =>
  lines(
    ...Array.from({ length: to - from }, (_, i) =>
      entry({
        workflow_run_id: `run-${from + i}`,
        timestamp: new Date(NOON - 7_200_000 + (from + i) * 1_000).toISOString(),
        total_token_cost: 10_000 - from - i,
      }),
    ),
  )

function directories() {
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  mkdirSync(root)
  return { root, state: path.join(directory, 'state'), file: path.join(root, 'audit_trace.jsonl') }
}

test('a build is the sum of its entries, with the place where they stand', async () => {
  const { root, state, file } = directories()
  const scaffold = lines(entry({ step_name: 'scaffold', total_token_cost: 5, context_file_hash: HASH_A }))
  const other = lines(entry({ workflow_run_id: 'run-2', total_token_cost: 1_000 }))
  const rest = lines(
    entry({ step_name: 'verify', validation_status: 'fail', validation_error_type: 'TSC_ERROR' }),
    entry({
      step_name: 'fix_1',
      total_token_cost: 7,
      completion_token_count: 4,
      error_log_size_chars: 2,
      instruction_version: 'terse',
      project: 'shop',
    }),
    entry({ step_name: 'fix_2', total_token_cost: 3 }),
    entry({ step_name: 'verify', validation_status: 'pass', timestamp: '2026-11-20T11:05:00Z' }),
  )
  writeFileSync(file, scaffold + other + rest)
  const { recent } = await startExporter({ roots: [root], state })
  expect(recent.find('run-1')).toEqual({
    runId: 'run-1',
    outcome: 'after_rework',
    project: 'shop',
    firstContext: 'a'.repeat(12),
    context: 'a'.repeat(12),
    implementPrompt: undefined,
    implementDraw: undefined,
    startedMs: Date.parse('2026-11-20T11:00:00Z'),
    firstEntryMs: Date.parse('2026-11-20T11:00:00Z'),
    lastEntryMs: Date.parse('2026-11-20T11:05:00Z'),
    fixPrompts: [
      { version: 'terse', fixes: 1, tokens: 7, completionTokens: 4, errorLogChars: 2 },
      { version: '', fixes: 1, tokens: 3, completionTokens: 0, errorLogChars: 0 },
    ],
    entries: 5,
    tokens: 15,
    failures: 1,
    reworkSteps: 2,
    stretches: [{ path: file, from: 0, to: (scaffold + other + rest).length }],
  })
})

test('what is found does not change before the next commit', async () => {
  const { root, state, file } = directories()
  writeFileSync(file, lines(entry({ total_token_cost: 5 })))
  const world = await startExporter({ roots: [root], state })
  const before = world.recent.find('run-1')
  expect(before).toMatchObject({ entries: 1, tokens: 5 })
  appendFileSync(file, lines(entry({ total_token_cost: 6 })))
  await world.round()
  expect(world.recent.find('run-1')).toEqual(before)
  world.commits.commit()
  expect(world.recent.find('run-1')).toMatchObject({ entries: 2, tokens: 11 })
})

test('the builds that started last are kept, over kill -9 as well, and no others', async () => {
  const { root, state, file } = directories()
  writeFileSync(file, builds(0, 1_500))
  const first = await startExporter({ roots: [root], state })
  const kept = first.recent.list().map(({ runId }) => runId)
  expect(kept).toHaveLength(RECENT_BUILDS)
  expect([kept[0], kept.at(-1)]).toEqual(['run-1499', 'run-500'])
  await first.crash()
  appendFileSync(file, builds(1_500, 1_600))
  const second = await startExporter({ roots: [root], state })
  const later = second.recent.list()
  expect([later[0]?.runId, later.at(-1)?.runId]).toEqual(['run-1599', 'run-600'])
  expect(later.every(({ entries }) => entries === 1)).toBe(true)
})

test('of builds that started at the same moment, those with the smallest ids are kept', async () => {
  const { root, state, file } = directories()
  const ids = Array.from({ length: 1_401 }, (_, i) => `run-${String((i * 7) % 1_401).padStart(4, '0')}`)
  writeFileSync(file, lines(...ids.map((id) => entry({ workflow_run_id: id }))))
  const { recent } = await startExporter({ roots: [root], state })
  expect(recent.list().map(({ runId }) => runId)).toEqual(ids.toSorted().slice(0, RECENT_BUILDS))
})

test('what comes after a commit is added to a build', async () => {
  const { root, state, file } = directories()
  writeFileSync(file, lines(entry({ total_token_cost: 5 })))
  const exporter = await startExporter({ roots: [root], state })
  for (const tokens of [12, 19]) {
    appendFileSync(file, lines(entry({ total_token_cost: 7 })))
    await exporter.round()
    exporter.commits.commit()
    expect(exporter.recent.find('run-1')?.tokens).toBe(tokens)
  }
})

test('a build that timed out is shown with its outcome', async () => {
  const { root, state, file } = directories()
  writeFileSync(file, builds(0, 1))
  const exporter = await startExporter({ roots: [root], state })
  expect(exporter.recent.find('run-0')?.outcome).toBe('abandoned')
})

test('a build that is no longer kept does not come back with a part of its tokens', async () => {
  const { root, state, file } = directories()
  writeFileSync(file, builds(0, 2 * RECENT_BUILDS + 1))
  const exporter = await startExporter({ roots: [root], state })
  appendFileSync(file, lines(entry({ workflow_run_id: 'run-3', total_token_cost: 1 })))
  await exporter.round()
  exporter.commits.commit()
  expect(exporter.recent.find('run-3')).toBeUndefined()
})

test('builds that a state of an earlier version knows are not listed with a part of their tokens', async () => {
  const { root, state, file } = directories()
  mkdirSync(state)
  cpSync(
    path.join(import.meta.dirname, '../state/fixtures/v1/state.sqlite'),
    path.join(state, 'state.sqlite'),
  )
  writeFileSync(file, builds(0, 1))
  const exporter = await startExporter({ roots: [root], state })
  expect(exporter.recent.list().map(({ runId }) => runId)).toEqual(['run-0'])
})

const assigned = (version: string, draw: string) =>
  entry({ step_name: 'implement', instruction_version: version, instruction_assignment: draw })

test('a build keeps the draw that assigned its prompt version, over kill -9 as well', async () => {
  const { root, state, file } = directories()
  writeFileSync(file, lines(assigned('terse', 'autumn')))
  const first = await startExporter({ roots: [root], state })
  await first.crash()
  const second = await startExporter({ roots: [root], state })
  expect(second.recent.find('run-1')).toMatchObject({ implementPrompt: 'terse', implementDraw: 'autumn' })
})

test('a build with versions of several draws belongs to none, whatever follows', async () => {
  const { root, state, file } = directories()
  writeFileSync(file, lines(assigned('terse', 'autumn'), assigned('terse', 'winter')))
  const first = await startExporter({ roots: [root], state })
  expect(first.recent.find('run-1')?.implementDraw).toBeNull()
  await first.crash()
  appendFileSync(file, lines(assigned('terse', 'winter')))
  const second = await startExporter({ roots: [root], state })
  expect(second.recent.find('run-1')?.implementDraw).toBeNull()
})

test('a build whose version was not assigned at random belongs to no draw', async () => {
  const { root, state, file } = directories()
  writeFileSync(
    file,
    lines(entry({ step_name: 'implement', instruction_version: 'terse' }), assigned('terse', 'autumn')),
  )
  const { recent } = await startExporter({ roots: [root], state })
  expect(recent.find('run-1')?.implementDraw).toBeNull()
})
