import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Report } from '../../src/audits/schema.ts'
import { backfillOptions } from '../../src/commands/backfill-flags.ts'
import { backfill } from '../../src/commands/backfill.ts'
import { reportOptions } from '../../src/commands/report-flags.ts'
import { report } from '../../src/commands/report.ts'
import { parseFlags } from '../../src/config/flags.ts'
import { priceList } from '../../src/entry/prices.ts'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { readHistory } from '../../src/history/history.ts'
import { createScratch } from '../../src/history/scratch.ts'
import { createLogger } from '../../src/log.ts'
import { entry, HASH_A, HASH_B, lines } from '../setup/entries.ts'
import { createManualClock, NOON, openExporter, type TestExporter } from '../setup/exporter.ts'
import { figuresOfReport, figuresOfScrape, type Figures } from '../setup/figures.ts'

const RUNS = Number(process.env['ORDER_RUNS'] ?? 5)
const LONG = { timeout: 60_000 + RUNS * 3_000 }
const FILE_NAME = 'audit_trace.jsonl'
const [MINUTE, DAY] = [60_000, 86_400_000]
const START = NOON - 60 * DAY
const FILES = 3

/** Files of even number are of the project that their directory names, `file-0` and `file-2`. */
const PROJECT_FROM_PATH = '/(?<project>file-[02])/'
const PRICES = { pro: { input: 1.25, cached: 0.31, output: 10 }, flash: { input: 0.3, output: 2.5 } }

interface Traces {
  readonly root: string
  /** Content by file. */
  readonly files: readonly (readonly OptimizationLogEntry[])[]
  readonly buildTimeout: string
}

/** Runs `check` over the traces in a directory of their own, which is removed at once: a property has many runs. */
async function withTraces(
  files: Traces['files'],
  buildTimeout: string,
  check: (traces: Traces) => Promise<void>,
): Promise<void> {
  const root = mkdtempSync(path.join(os.tmpdir(), 'audit-order-'))
  try {
    for (const [i, content] of files.entries()) {
      mkdirSync(path.join(root, 'traces', `file-${i}`), { recursive: true })
      writeFileSync(path.join(root, 'traces', `file-${i}`, FILE_NAME), lines(...content))
    }
    writeFileSync(pricesIn(root), JSON.stringify(PRICES))
    await check({ root, files, buildTimeout })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const pricesIn = (root: string): string => path.join(root, 'prices.json')

async function reported({ root, buildTimeout }: Traces, nowMs: number): Promise<Figures> {
  let text = ''
  const paths = [path.join(root, 'traces')]
  const options = parseFlags(reportOptions, {
    paths,
    format: 'json',
    buildTimeout,
    projectFromPath: PROJECT_FROM_PATH,
    prices: pricesIn(root),
  })
  await report(options, {
    clock: createManualClock(nowMs),
    signal: new AbortController().signal,
    print: (more) => (text += more),
    complain: () => undefined,
  })
  return figuresOfReport(JSON.parse(text) as Report)
}

/** What `watch` shows when it continues from the state that `backfill` left. */
async function backfilled({ root, buildTimeout }: Traces, nowMs: number): Promise<Figures> {
  const [out, state] = [path.join(root, 'out'), path.join(root, 'backfilled')]
  const paths = [path.join(root, 'traces')]
  const quiet = openSync('/dev/null', 'w')
  const complaints: string[] = []
  try {
    const options = parseFlags(backfillOptions, {
      paths,
      out,
      state,
      buildTimeout,
      since: '4h',
      projectFromPath: PROJECT_FROM_PATH,
      prices: pricesIn(root),
    })
    await backfill(options, {
      clock: createManualClock(nowMs),
      log: createLogger({ fd: quiet, pretty: false }),
      signal: new AbortController().signal,
      print: () => undefined,
      complain: (line) => complaints.push(line),
    })
  } finally {
    closeSync(quiet)
  }
  expect(complaints).toEqual([])
  return watched({ roots: paths, state, buildTimeout }, nowMs, nowMs)
}

/** What `watch` shows some time after a first pass. */
async function watched(
  options: { readonly roots: readonly string[]; readonly state: string; readonly buildTimeout: string },
  startMs: number,
  nowMs: number,
): Promise<Figures> {
  const exporter = openWatch(options, startMs)
  try {
    await exporter.firstPass()
    exporter.clock.advance(nowMs - startMs)
    await exporter.round()
    return await shown(exporter)
  } finally {
    await exporter.crash()
  }
}

const openWatch = (
  { roots, state, buildTimeout }: Parameters<typeof watched>[0],
  nowMs: number,
): TestExporter =>
  openExporter({
    roots,
    state,
    flags: { buildTimeout, projectFromPath: PROJECT_FROM_PATH },
    priceList: priceList(PRICES),
    clock: createManualClock(nowMs),
  })

/** A new series is zero until it has been scraped. */
async function shown(exporter: TestExporter): Promise<Figures> {
  await exporter.scrape()
  exporter.clock.advance(MINUTE)
  return figuresOfScrape(await exporter.scrape())
}

/** What `watch` shows if it runs while the lines are written, each at the time at which it counts in the history. */
async function tailed({ root, files, buildTimeout }: Traces, nowMs: number): Promise<Figures> {
  const history = await readHistory(
    { paths: [path.join(root, 'traces')], fileName: FILE_NAME, maxLineBytes: 1 << 20, followSymlinks: false },
    {
      sink: {
        line: () => 'rejected',
        invalidUtf8: () => 'rejected',
        tooLong: () => undefined,
        bytes: () => undefined,
        truncated: () => undefined,
      },
      onFault: (file) => expect.unreachable(file),
      progress: { update: () => undefined, end: () => undefined },
      scratch: createScratch(root),
      nowMs,
      stopped: () => false,
    },
  )
  const live = path.join(root, 'live')
  for (let i = 0; i < FILES; i++) mkdirSync(path.join(live, `file-${i}`), { recursive: true })
  const [first] = history.spots()
  const startMs = Math.min(first?.timeMs ?? nowMs, nowMs)
  const exporter = openWatch({ roots: [live], state: path.join(root, 'tailed'), buildTimeout }, startMs)
  const goTo = async (ms: number): Promise<void> => {
    const waitMs = Math.min(ms, nowMs) - exporter.clock.wallMs()
    expect(waitMs).toBeGreaterThanOrEqual(0)
    exporter.clock.advance(waitMs)
    if (waitMs > 0) await exporter.round()
  }
  try {
    await exporter.firstPass()
    for (const { text, place, timeMs } of history.lines()) {
      await goTo(timeMs)
      appendFileSync(path.join(live, path.relative(path.join(root, 'traces'), place.path)), `${text}\n`)
      await exporter.round()
    }
    await goTo(nowMs)
    for (const [i, content] of files.entries()) {
      const file = path.join(live, `file-${i}`, FILE_NAME)
      if (content.length > 0) expect(readFileSync(file, 'utf8')).toBe(lines(...content))
    }
    return await shown(exporter)
  } finally {
    await exporter.crash()
  }
}

const at = (minutes: number, fields: Partial<OptimizationLogEntry>): OptimizationLogEntry =>
  entry({ timestamp: new Date(NOON - DAY + minutes * MINUTE).toISOString(), ...fields })
const tokens = { prompt_token_count: 100, completion_token_count: 50 }
const TSC = { validation_status: 'fail', validation_error_type: 'TSC_ERROR' } as const
const JEST = { validation_status: 'fail', validation_error_type: 'JEST_FAILURE' } as const
const PASS = { validation_status: 'pass' } as const

test.each<[string, OptimizationLogEntry[], Partial<Figures>]>([
  [
    'a pass closes its build although a failure below it has an earlier timestamp',
    [
      at(1, { step_name: 'implement_v1', prompt_token_count: 10, completion_token_count: 10 }),
      at(6, { step_name: 'verification_1', ...PASS }),
      at(3, { step_name: 'initial_verification', ...TSC }),
      at(5, { step_name: 'fix_attempt_1', ...tokens }),
    ],
    { builds: { first_pass: 1 }, buildTokens: 170, failures: { TSC_ERROR: 1 } },
  ],
  [
    'a fix answers the failure above it although the next one has an earlier timestamp',
    [
      at(3, { step_name: 'initial_verification', ...TSC, error_log_size_chars: 100 }),
      at(9, { step_name: 'fix_attempt_1', ...tokens }),
      at(7, { step_name: 'verification_1', ...JEST, error_log_size_chars: 900 }),
      at(10, { step_name: 'fix_attempt_2', ...tokens }),
      at(11, { step_name: 'verification_2', ...PASS }),
    ],
    {
      builds: { after_rework: 1 },
      fixTokens: { JEST_FAILURE: 150, TSC_ERROR: 150 },
      reworkCompletionTokens: { JEST_FAILURE: 50, TSC_ERROR: 50 },
      reworkErrorLogChars: { JEST_FAILURE: 900, TSC_ERROR: 100 },
    },
  ],
  [
    'a build closes under the revision that the line above its pass names, although its timestamp is later',
    [
      at(1, { step_name: 'scaffold', context_file_hash: HASH_A, total_token_cost: 10 }),
      at(6, { step_name: 'implement_v1', context_file_hash: HASH_B, total_token_cost: 10 }),
      at(4, { step_name: 'initial_verification', ...PASS }),
    ],
    { builds: { first_pass: 1 }, revisions: { [HASH_B.slice(0, 12)]: 1 } },
  ],
  [
    'a build that pauses for longer than the time-out closes at the pause, although a verification passes after it',
    [
      at(1, { step_name: 'implement_v1', ...tokens }),
      at(2, { step_name: 'initial_verification', ...TSC }),
      at(63, { step_name: 'fix_attempt_1', ...tokens }),
      at(64, { step_name: 'verification_1', ...PASS }),
    ],
    { builds: { failed: 1 }, buildTokens: 300 },
  ],
  [
    'a build that pauses for exactly the time-out goes on',
    [
      at(2, { step_name: 'initial_verification', ...TSC }),
      at(62, { step_name: 'fix_attempt_1', ...tokens }),
      at(63, { step_name: 'verification_1', ...PASS }),
    ],
    { builds: { after_rework: 1 }, buildTokens: 150 },
  ],
])('%s', async (_, content, expected) => {
  await withTraces([content, [], []], '1h', async (traces) => {
    const roots = [path.join(traces.root, 'traces')]
    const live = await watched({ ...traces, roots, state: path.join(traces.root, 'state') }, NOON, NOON)
    expect(live).toMatchObject(expected)
    expect(await tailed(traces, NOON)).toEqual(live)
    expect(await reported(traces, NOON)).toEqual(live)
    expect(await backfilled(traces, NOON)).toEqual(live)
  })
})

const STEPS = [
  { step_name: 'implement_v1' },
  { step_name: 'implement_v1', validation_status: 'pass' },
  { step_name: 'initial_verification', validation_status: 'fail', validation_error_type: 'TSC_ERROR' },
  { step_name: 'verification', validation_status: 'fail', validation_error_type: 'JEST_FAILURE' },
  { step_name: 'verification', validation_status: 'pass' },
  { step_name: 'fix_attempt_1' },
  { step_name: 'fix_attempt_2', validation_status: 'fail' },
] as const satisfies readonly Partial<OptimizationLogEntry>[]

/** Time since the line before, in milliseconds: equal, decreasing, far apart; or a moment in the future. */
const GAP = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 1, MINUTE, 20 * MINUTE) },
  { weight: 3, arbitrary: fc.constantFrom(-1, -MINUTE, -30 * MINUTE, -5 * 60 * MINUTE, -3 * DAY) },
  { weight: 2, arbitrary: fc.constantFrom(59 * MINUTE, 61 * MINUTE, 5 * 60 * MINUTE, 2 * DAY) },
  { weight: 1, arbitrary: fc.constant('future' as const) },
)
const LINE = fc.record({
  build: fc.integer({ min: 0, max: 5 }),
  file: fc.integer({ min: 0, max: FILES - 1 }),
  step: fc.constantFrom(...STEPS),
  gap: GAP,
  tokens: fc.option(fc.tuple(fc.nat(1_000), fc.nat(1_000)), { nil: undefined }),
  logChars: fc.option(fc.nat(5_000), { nil: undefined }),
  hash: fc.option(fc.constantFrom(HASH_A, HASH_B), { nil: undefined }),
  project: fc.option(fc.constantFrom('p', 'q'), { nil: undefined, freq: 1 }),
  model: fc.option(fc.constantFrom('pro', 'flash', 'unpriced'), { nil: undefined }),
  cached: fc.option(fc.nat(1_000), { nil: undefined }),
  costUsd: fc.option(fc.constantFrom(0, 0.25), { nil: undefined, freq: 1 }),
})
type Line = typeof LINE extends fc.Arbitrary<infer T> ? T : never

/** The content of the files. A timestamp in the future moves no line after it, and is not the first of its file. */
function filesOf(corpus: readonly Line[], fileOf: (line: Line) => number): OptimizationLogEntry[][] {
  const files = Array.from({ length: FILES }, (): OptimizationLogEntry[] => [])
  let timeMs = START
  for (const line of corpus) {
    const { build, step, logChars, hash, project, model, cached, costUsd } = line
    const content = files[fileOf(line)] as OptimizationLogEntry[]
    const gap = line.gap === 'future' && content.length === 0 ? 0 : line.gap
    if (gap !== 'future') timeMs = Math.min(timeMs + gap, NOON - DAY)
    const future = NOON + 400 * DAY
    content.push(
      entry({
        workflow_run_id: `build-${build}`,
        ...step,
        timestamp: new Date(gap === 'future' ? future : timeMs).toISOString(),
        ...(line.tokens && {
          prompt_token_count: line.tokens[0],
          completion_token_count: line.tokens[1],
        }),
        ...(logChars !== undefined && { error_log_size_chars: logChars }),
        ...(hash !== undefined && { context_file_hash: hash }),
        ...(project !== undefined && { project }),
        ...(model !== undefined && { model }),
        ...(cached !== undefined && { cached_token_count: cached }),
        ...(costUsd !== undefined && { cost_usd: costUsd }),
      }),
    )
  }
  return files
}

/** A line that is not written before the one above it. */
const inOrder = (line: Line): Line => ({ ...line, gap: line.gap === 'future' ? 0 : Math.max(line.gap, 0) })

const CORPUS = fc.array(LINE, { minLength: 1, maxLength: 40 })

test(
  'report and backfill say what watch says when it reads lines as they are written, whatever the timestamps',
  LONG,
  async () => {
    await fc.assert(
      fc.asyncProperty(CORPUS, (corpus) =>
        withTraces(
          filesOf(corpus, ({ file }) => file),
          '1h',
          async (traces) => {
            const live = await tailed(traces, NOON)
            expect(live.entries).toBe(corpus.length)
            expect(await reported(traces, NOON)).toEqual(live)
            expect(await backfilled(traces, NOON)).toEqual(live)
          },
        ),
      ),
      { numRuns: RUNS },
    )
  },
)

async function expectSameAfterFirstPass(traces: Traces, lines: number): Promise<void> {
  const roots = [path.join(traces.root, 'traces')]
  const laterMs = NOON + 300 * DAY
  const live = await watched({ ...traces, roots, state: path.join(traces.root, 'state') }, NOON, laterMs)
  expect(live.entries).toBe(lines)
  expect(await reported(traces, laterMs)).toEqual(live)
  expect(await backfilled(traces, laterMs)).toEqual(live)
}

test(
  'report and backfill say what watch says after a first pass over the files, whatever the timestamps',
  LONG,
  async () => {
    await fc.assert(
      fc.asyncProperty(CORPUS, (corpus) =>
        // Builds share files. No build pauses for longer than the time-out: a wrong timestamp could look like a pause.
        withTraces(
          filesOf(corpus, ({ build }) => build % FILES),
          '200d',
          (traces) => expectSameAfterFirstPass(traces, corpus.length),
        ),
      ),
      { numRuns: RUNS },
    )
  },
)

test(
  'report and backfill say what watch says after a first pass over the files, however long builds pause',
  LONG,
  async () => {
    await fc.assert(
      fc.asyncProperty(CORPUS, (corpus) =>
        withTraces(
          filesOf(corpus.map(inOrder), ({ build }) => build % FILES),
          '1h',
          (traces) => expectSameAfterFirstPass(traces, corpus.length),
        ),
      ),
      { numRuns: RUNS },
    )
  },
)
