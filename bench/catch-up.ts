/**
 * Measures how fast the shipped program catches up with existing files, relative to the minimum that any reader in
 * Node must do: read, split, JSON.parse. They run alternately; the unit is CPU time, not wall time. The program's is that
 * of its whole process, start-up included; the loop's is without.
 *
 *   npm run bench -- [--megabytes 200] [--rounds 3] [--keep DIR]
 */
import { once } from 'node:events'
import { closeSync, openSync, readSync, rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { parseArgs } from 'node:util'
import { writeCorpus } from '../src/simulate/corpus.ts'
import { startExporter } from './started.ts'

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    keep: { type: 'string' },
  },
})
const directory = values.keep ?? (await mkdtemp(path.join(os.tmpdir(), 'audit-bench-')))
const file = path.join(directory, 'builds', 'audit_trace.jsonl')

const corpus = await writeCorpus([file], {
  seed: 1,
  size: { bytes: Number(values.megabytes) * 1e6 },
  startMs: Date.parse('2026-08-01T00:00:00Z'),
  spanMs: 90 * 86_400_000,
})
console.log(
  `${(corpus.bytes / 1e6).toFixed(0)} MB, ${corpus.lines} entries, ${corpus.builds} builds; Node ${process.version}`,
)

const CHUNK_BYTES = 1 << 18

/** Returns the CPU seconds of a bare read, split and JSON.parse loop. */
function bareLoop(): number {
  const before = process.cpuUsage()
  const handle = openSync(file, 'r')
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let entries = 0
  for (let got = readSync(handle, buffer); got > 0; got = readSync(handle, buffer)) {
    const lines = (rest + decoder.write(buffer.subarray(0, got))).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      JSON.parse(line)
      entries++
    }
  }
  closeSync(handle)
  if (entries !== corpus.lines) throw new Error(`read ${entries} of ${corpus.lines} entries`)
  return cpuSeconds(before)
}

/** Runs the exporter without a state until it has caught up. */
async function catchUp(): Promise<{ seconds: number; residentBytes: number }> {
  const state = path.join(directory, 'state')
  rmSync(state, { recursive: true, force: true })
  const { child, url, caughtUp } = await startExporter(path.dirname(file), state)
  try {
    await caughtUp
    const scrape = await (await fetch(`${url}/metrics`)).text()
    const entries = sumOf(scrape, 'audit_entries_total')
    if (entries !== corpus.lines) throw new Error(`counted ${entries} of ${corpus.lines} entries`)
    return {
      seconds: sumOf(scrape, 'process_cpu_seconds_total'),
      residentBytes: sumOf(scrape, 'process_resident_memory_bytes'),
    }
  } finally {
    child.kill()
    await once(child, 'exit')
  }
}

/** The sum of all series of a metric in the text format. */
function sumOf(scrape: string, metric: string): number {
  const samples = scrape.matchAll(new RegExp(`^${metric}(?:\\{.*\\})? (\\S+)`, 'gmu'))
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0)
}

function cpuSeconds(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

const rate = (seconds: number): string => `${(corpus.bytes / 1e6 / seconds).toFixed(0)} MB per CPU-second`

const bare: number[] = []
const ours: number[] = []
const resident: number[] = []
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    bare.push(bareLoop())
    const { seconds, residentBytes } = await catchUp()
    ours.push(seconds)
    resident.push(residentBytes)
    console.log(`round ${round + 1}: bare loop ${rate(bare.at(-1) ?? 0)}, catch-up ${rate(seconds)}`)
  }
} finally {
  if (values.keep === undefined) rmSync(directory, { recursive: true, force: true })
}
console.log(`bare loop  ${rate(median(bare))}`)
console.log(
  `catch-up   ${rate(median(ours))}, from start to ready; resident ${(median(resident) / 1e6).toFixed(0)} MB`,
)
console.log(`ratio      ${(median(bare) / median(ours)).toFixed(2)}`)
