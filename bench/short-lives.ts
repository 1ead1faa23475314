/**
 * What Prometheus misses of exporters that live as long as one build of 20 to 60 s, by scrape interval and flags.
 *
 *   npm run short-lives -- [--lives 200]
 *
 * The real engine on real files, in simulated time: each life has its own state, one build, SIGTERM one second after the
 * build's last line, and one Prometheus that finds it at a random moment within its scrape interval. `written` is what the build
 * wrote, `missed` what no scrape had shown when the exporter ended.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { parseWatchConfig } from '../src/commands/watch-flags.ts'
import { createEngine, type Engine } from '../src/engine.ts'
import type { Events } from '../src/events.ts'
import { openStore } from '../src/state/store.ts'
import { nodeFileSystem } from '../src/tail/file-system.ts'

const { values } = parseArgs({ options: { lives: { type: 'string', default: '200' } } })
const LIVES = Number(values.lives)
const STEP_MS = 500
const SIDECAR = { baseline: 'none', closeBuildsOnExit: true }
const FLAGS: readonly [string, Record<string, unknown>][] = [
  ['none', {}],
  ['--baseline none --close-builds-on-exit', SIDECAR],
  ['the same, --linger 10s', { ...SIDECAR, linger: '10s' }],
  ['the same, --linger 60s', { ...SIDECAR, linger: '60s' }],
  ['the same, --linger 2m', { ...SIDECAR, linger: '2m' }],
  ['the same, --linger 2m --new-series-hold 0s', { ...SIDECAR, linger: '2m', newSeriesHold: '0s' }],
]

interface Life {
  entries: number
  shownEntries: number
  shownBuilds: number
  lingeredMs: number
}

const noEvents = new Proxy({} as Events, { get: () => () => undefined })

/** Deterministic numbers from 0 to 1. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return state / 4_294_967_296
  }
}

async function live(
  directory: string,
  random: () => number,
  intervalMs: number,
  flags: Record<string, unknown>,
) {
  const root = path.join(directory, 'builds')
  fs.mkdirSync(root, { recursive: true })
  let nowMs = Date.parse('2026-11-20T12:00:00Z')
  const startMs = nowMs
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs - startMs }
  const config = parseWatchConfig({ roots: [root], state: path.join(directory, 'state'), ...flags })
  const store = openStore(config.state)
  const engine = createEngine(config, {
    store,
    fs: nodeFileSystem,
    clock,
    events: noEvents,
    waitToRetry: () => Promise.resolve(),
    stopped: () => false,
    onCommit: () => undefined,
  })
  await engine.firstPass()
  const lifeMs = 20_000 + 40_000 * random()
  const lines = ['scaffold', 'implement_v1', 'initial_verification', 'fix_attempt_1', 'fix_attempt_2']
  const times = lines.map((_, i) => lifeMs * ((i + 1) / lines.length))
  let nextScrapeMs = intervalMs * random()
  const life: Life = { entries: lines.length, shownEntries: 0, shownBuilds: 0, lingeredMs: 0 }
  const trace = path.join(root, 'audit_trace.jsonl')
  let at = 0
  let signalMs: number | undefined
  for (; ; nowMs += STEP_MS) {
    const elapsedMs = nowMs - startMs
    for (; at < lines.length && times[at]! <= elapsedMs; at++)
      fs.appendFileSync(trace, line(lines[at]!, nowMs))
    if (signalMs === undefined && elapsedMs >= lifeMs + 1_000) {
      signalMs = elapsedMs
      if (config.linger > 0 || config.closeBuildsOnExit) await engine.finish(config.closeBuildsOnExit)
    } else if (signalMs === undefined) await round(engine, nowMs)
    if (signalMs !== undefined && hasEnded(engine, elapsedMs, signalMs, config.linger)) {
      life.lingeredMs = elapsedMs - signalMs
      break
    }
    if (elapsedMs < nextScrapeMs) continue
    nextScrapeMs += intervalMs
    const { sent } = await engine.exposition.scrape()
    sent()
    noteShown(engine, life)
  }
  await engine.tail.close()
  await engine.exposition.close()
  store.close()
  return life
}

async function round({ tail, afterRound }: Engine, nowMs: number): Promise<void> {
  await tail.scan()
  await tail.poll()
  afterRound({ drained: await tail.drain(), foundUpToMs: nowMs })
}

function hasEnded({ showing }: Engine, elapsedMs: number, signalMs: number, lingerMs: number): boolean {
  if (elapsedMs >= signalMs + lingerMs) return true
  const { unshownSeries, sinceMs } = showing.shown()
  return unshownSeries === 0 && elapsedMs >= sinceMs + showing.holdMs
}

/** Values at the first start are no increase: they count as shown only if their series began at zero. */
function noteShown({ ledger }: Engine, life: Life): void {
  life.shownEntries = 0
  life.shownBuilds = 0
  for (const { definition, views } of ledger.all()) {
    const shown = views.scrape?.shown
    if (definition.name === 'audit.entries') life.shownEntries += shown?.[0] ?? 0
    if (definition.name === 'audit.builds') life.shownBuilds += shown?.[0] ?? 0
  }
}

const line = (step: string, nowMs: number): string =>
  `${JSON.stringify({
    workflow_run_id: 'run',
    step_name: step,
    timestamp: new Date(nowMs).toISOString(),
    prompt_token_count: 1_000,
    completion_token_count: 200,
    ...(step.includes('verification') && { validation_status: 'fail', error_full: 'x'.repeat(99) }),
  })}\n`

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`

console.log('| flags | scrape interval | entries missed | builds missed | lingered, mean |')
console.log('| --- | --- | --- | --- | --- |')
for (const [name, flags] of FLAGS) {
  for (const seconds of [5, 15, 30, 60]) {
    const random = createRandom(seconds)
    const sums: Life = { entries: 0, shownEntries: 0, shownBuilds: 0, lingeredMs: 0 }
    for (let n = 0; n < LIVES; n++) {
      const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'audit-life-'))
      const life = await live(directory, random, seconds * 1_000, flags)
      fs.rmSync(directory, { recursive: true })
      sums.entries += life.entries
      sums.shownEntries += life.shownEntries
      sums.shownBuilds += life.shownBuilds
      sums.lingeredMs += life.lingeredMs
    }
    const missed = percent(sums.entries - sums.shownEntries, sums.entries)
    const lingered = `${Math.round(sums.lingeredMs / LIVES / 1_000)} s`
    console.log(
      `| ${name} | ${seconds} s | ${missed} | ${percent(LIVES - sums.shownBuilds, LIVES)} | ${lingered} |`,
    )
  }
}
