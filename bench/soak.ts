/**
 * Checks that memory and state size stay constant: the real daemon in its own process, files that grow fast and
 * are renamed and deleted, one scrape per second. At the end every line must be counted.
 *
 *   npm run soak -- [--minutes 60] [--lines-per-second 2000] [--new-builds]
 *
 * Every build keeps about a hundred bytes in the state forever, so that a late entry cannot reopen it.
 * Without --new-builds the same thousand builds are reused, and the size of the state must stay constant.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { scrape, startExporter } from './started.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    'lines-per-second': { type: 'string', default: '2000' },
    'new-builds': { type: 'boolean', default: false },
  },
})
const durationMs = Number(values.minutes) * 60_000
const linesPerSecond = Number(values['lines-per-second'])
const MIB = 1 << 20
const FILES = 10
const ROTATE_BYTES = 8 * MIB
const TICK_MS = 50

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'audit-soak-'))
const root = path.join(directory, 'files')
const state = path.join(directory, 'state')
const paths = Array.from({ length: FILES }, (_, i) => path.join(root, `b${i}`, 'audit_trace.jsonl'))
for (const file of paths) fs.mkdirSync(path.dirname(file), { recursive: true })

const daemon = await startExporter(root, state)

let written = 0
let lines = 0

/** Appends a batch to the next file. A file past `ROTATE_BYTES` is renamed, which replaces its previous rotation. */
function write(count: number, tick: number): void {
  const file = paths[tick % FILES] as string
  const batch = Array.from({ length: count }, () => `${JSON.stringify(entry(lines++))}\n`).join('')
  fs.appendFileSync(file, batch)
  written += batch.length
  if (fs.statSync(file).size > ROTATE_BYTES) fs.renameSync(file, `${file}.1`)
}

function entry(line: number): object {
  const build = Math.floor(line / 5)
  const steps = ['scaffold', 'implement_v1', 'initial_verification', 'fix_attempt_1', 'verification_1']
  const status = ['N/A', 'N/A', 'fail', 'N/A', 'pass'][line % 5]
  return {
    workflow_run_id: `run-${values['new-builds'] ? build : build % 1_000}`,
    step_name: steps[line % 5],
    timestamp: new Date().toISOString(),
    prompt_token_count: 1_000 + (line % 997),
    completion_token_count: line % 499,
    context_file_hash: (Math.floor(build / 10_000) % 20).toString(16).padStart(64, 'a'),
    validation_status: status,
    ...(status === 'fail' && {
      validation_error_type: 'TSC_ERROR',
      error_full: 'error TS2322\n'.repeat(line % 20),
    }),
  }
}

async function look(): Promise<{ resident: number; state: number; seen: number; commits: number }> {
  const text = await scrape(daemon)
  const value = (name: string): number =>
    text
      .split('\n')
      .filter((line) => line.startsWith(name) && !line.startsWith('#'))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  return {
    resident: value('process_resident_memory_bytes') / MIB,
    state: value('audit_exporter_state_bytes') / MIB,
    seen: value('audit_exporter_read_bytes_total{'),
    commits: value('audit_exporter_commits_total'),
  }
}

const samples: Awaited<ReturnType<typeof look>>[] = []
const started = performance.now()
try {
  for (let tick = 0; performance.now() - started < durationMs; tick++) {
    const due = Math.floor((linesPerSecond * (performance.now() - started)) / 1_000) - lines
    if (due > 0) write(due, tick)
    if (tick % (1_000 / TICK_MS) === 0) await sample()
    await wait(TICK_MS)
  }
  const deadline = performance.now() + 60_000
  while ((await look()).seen < written && performance.now() < deadline) await wait(200)
  report((await look()).seen)
} finally {
  await daemon.stop()
  fs.rmSync(directory, { recursive: true, force: true })
}

async function sample(): Promise<void> {
  const now = await look()
  samples.push(now)
  if (samples.length % Math.max(10, Math.round(durationMs / 20_000)) !== 1) return
  const minute = ((performance.now() - started) / 60_000).toFixed(1)
  console.log(
    `minute ${minute}: ${lines} lines, resident ${now.resident.toFixed(0)} MiB, state ${now.state.toFixed(1)} MiB`,
  )
}

/** Prints the median of each quarter: single samples depend on when garbage was last collected. */
function report(seen: number): void {
  const quarter = Math.floor(samples.length / 4)
  const median = (what: 'resident' | 'state', nth: number): number =>
    samples
      .slice(nth * quarter, (nth + 1) * quarter)
      .map((one) => one[what])
      .toSorted((a, b) => a - b)[Math.floor(quarter / 2)] ?? Number.NaN
  console.log(
    `${lines} lines, ${(written / MIB).toFixed(0)} MiB written, ${(seen / MIB).toFixed(0)} MiB seen`,
  )
  for (const what of ['resident', 'state'] as const) {
    const quarters = [0, 1, 2, 3].map((nth) => median(what, nth).toFixed(1))
    console.log(`${what}, MiB, median of each quarter: ${quarters.join('  ')}`)
  }
  if (seen !== written) {
    console.log(`WRONG: ${written - seen} bytes are missing`)
    process.exitCode = 1
  }
}
