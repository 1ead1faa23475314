import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { RECENT_BUILDS } from '../../src/recent/recent-builds.ts'
import type { RecentBuild } from '../../src/recent/recent-build.ts'
import { createRandom } from '../../src/simulate/random.ts'
import { entry, lines } from '../setup/entries.ts'
import { NOON, startExporter, temporaryDirectory } from '../setup/exporter.ts'

/** How many builds begin before each commit: so few that closed ones stay in memory, or so many that they leave it. */
const CHUNKS = [1_200, 1_200, 1_200, 1_600, 1_000, 2_333, 1_000]
const CRASH_AFTER = new Set([5])
/** Builds that take turns. */
const AT_ONCE = 40

type Sums = Pick<
  RecentBuild,
  'runId' | 'outcome' | 'entries' | 'tokens' | 'failures' | 'reworkSteps' | 'fixPrompts'
>

const STEPS = [
  { step_name: 'scaffold' },
  { step_name: 'verify', validation_status: 'fail', validation_error_type: 'TSC_ERROR' },
  { step_name: 'fix_1' },
  { step_name: 'verify', validation_status: 'pass' },
] as const

/** Adds one entry to what a build should be, independently of the exporter. */
function expectEntry(
  build: Sums & { from: number; to: number },
  step: number,
  tokens: number,
  to: number,
): void {
  const [fix] = build.fixPrompts
  Object.assign(build, {
    entries: build.entries + 1,
    tokens: build.tokens + tokens,
    failures: build.failures + (step === 1 ? 1 : 0),
    reworkSteps: build.reworkSteps + (step === 2 ? 1 : 0),
    outcome: step === 3 ? (build.outcome ?? 'after_rework') : build.outcome,
    to,
    ...(step === 2 && {
      fixPrompts: [
        {
          version: '',
          fixes: (fix?.fixes ?? 0) + 1,
          tokens: (fix?.tokens ?? 0) + tokens,
          completionTokens: 0,
          errorLogChars: 0,
        },
      ],
    }),
  })
}

test('whatever builds take turns, end, get late entries and are forgotten: those that started last have all of their sums', async () => {
  const random = createRandom(7)
  const pick = (n: number): number => random.integer(0, n - 1)
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  const state = path.join(directory, 'state')
  mkdirSync(root)
  const file = path.join(root, 'audit_trace.jsonl')
  writeFileSync(file, '')
  const all: (Sums & { from: number; to: number })[] = []
  const open: { build: number; step: number }[] = []
  let offset = 0
  let count = 0
  let text = ''

  function write(build: number, step: number): void {
    const tokens = 1 + pick(1_000)
    const timestamp = new Date(NOON - 120_000 + ++count).toISOString()
    const line = lines(
      entry({ workflow_run_id: `run-${build}`, ...STEPS[step], total_token_cost: tokens, timestamp }),
    )
    const from = offset
    offset += line.length
    text += line
    all[build] ??= {
      runId: `run-${build}`,
      outcome: undefined,
      entries: 0,
      tokens: 0,
      failures: 0,
      reworkSteps: 0,
      fixPrompts: [],
      from,
      to: 0,
    }
    expectEntry(all[build], step, tokens, offset)
  }

  let exporter = await startExporter({ roots: [root], state })
  let until = 0
  for (const [i, builds] of CHUNKS.entries()) {
    until += builds
    while (all.length < until) {
      if (open.length < AT_ONCE) open.push({ build: all.length, step: -1 })
      // A new build begins at once, so that the order of the starts is that of the numbers.
      const turn = open.at(-1)?.step === -1 ? open.length - 1 : pick(open.length)
      const one = open[turn]!
      write(one.build, ++one.step)
      if (one.step === STEPS.length - 1) open.splice(turn, 1)
      // Late ones, of builds that may be forgotten, on disk or not.
      if (pick(20) === 0) write(Math.max(0, all.length - 1 - pick(4_000)), 0)
    }
    appendFileSync(file, text)
    text = ''
    if (CRASH_AFTER.has(i)) {
      await exporter.crash()
      exporter = await startExporter({ roots: [root], state })
    } else await exporter.round()
    exporter.commits.commit()
    const expected = all.slice(-RECENT_BUILDS).toReversed()
    const found = exporter.recent
      .list()
      .map(({ stretches, ...build }) => ({ ...build, ...stretches[0], files: stretches.length }))
    expect(found.map(({ runId }) => runId)).toEqual(expected.map(({ runId }) => runId))
    for (const [place, build] of expected.entries())
      expect(found[place]).toMatchObject({ ...build, files: 1, path: file })
  }
})
