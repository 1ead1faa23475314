import { rmSync } from 'node:fs'
import path from 'node:path'
import { writeCorpus } from '../src/simulate/corpus.ts'
import { median, megabytes, printTable, runNode, usageOf, type Usage } from './measured.ts'
import { peersOf, type Runner } from './peers.ts'
import { DIST, scrape, startExporter, sumOf } from './started.ts'

export interface CatchUpOptions {
  readonly directory: string
  readonly megabytes: number
  readonly rounds: number
  /** Another build of the program, to compare with; a directory like `dist/program`. */
  readonly beside?: string | undefined
  /** Whether to run other programs that count lines, too. */
  readonly peers: boolean
}

/** Catching up with one file from nothing, beside the least that any reader in Node must do. They run in turns. */
export async function benchCatchUp({ directory, beside, peers, ...options }: CatchUpOptions): Promise<void> {
  const file = path.join(directory, 'builds', 'audit_trace.jsonl')
  const corpus = await writeCorpus([file], {
    seed: 1,
    size: { bytes: options.megabytes * 1e6 },
    startMs: Date.parse('2026-08-01T00:00:00Z'),
    spanMs: 90 * 86_400_000,
  })
  console.log(`${megabytes(corpus.bytes)}, ${corpus.lines} entries, ${corpus.builds} builds`)
  const runners = {
    'bare Node: split, decode, JSON.parse': () => bareLoop(file, corpus.lines),
    'audit-trace-exporter': () => exporter(directory, file, corpus.lines, DIST),
    ...(beside !== undefined && { [beside]: () => exporter(directory, file, corpus.lines, beside) }),
    ...(peers && peersOf({ directory, file, lines: corpus.lines })),
  }
  const usages = await inTurns(runners, options.rounds)
  const rate = ({ cpuSeconds }: Usage): number => corpus.bytes / 1e6 / cpuSeconds
  const bare = median((usages.get(Object.keys(runners)[0] ?? '') ?? []).map(rate))
  printTable([
    ['median', 'MB per CPU-second', 'ratio', 'peak RSS'],
    ...[...usages].map(([name, runs]) => {
      const own = median(runs.map(rate))
      return [
        name,
        own.toFixed(0),
        (own / bare).toFixed(2),
        megabytes(median(runs.map(({ peakBytes }) => peakBytes))),
      ]
    }),
  ])
}

/** Runs all of them `rounds` times, one after the other, so that a busy machine slows all of them alike. */
async function inTurns(
  runners: Readonly<Record<string, Runner>>,
  rounds: number,
): Promise<Map<string, Usage[]>> {
  const usages = new Map<string, Usage[]>()
  for (let round = 1; round <= rounds; round++) {
    for (const [name, run] of Object.entries(runners)) {
      const usage = await run()
      usages.set(name, [...(usages.get(name) ?? []), usage])
      console.log(`round ${round}: ${name}: ${usage.cpuSeconds.toFixed(2)} CPU-seconds`)
    }
  }
  return usages
}

async function bareLoop(file: string, lines: number): Promise<Usage> {
  const { line, usage } = await runNode([path.join(import.meta.dirname, 'bare-loop.js'), file])
  if (Number(line) !== lines) throw new Error(`bare loop: read ${line} of ${lines} entries`)
  return usage
}

/** Without a state, with everything that it counts, and durable commits. */
async function exporter(directory: string, file: string, lines: number, dist: string): Promise<Usage> {
  const state = path.join(directory, 'state')
  rmSync(state, { recursive: true, force: true })
  const exporter = await startExporter(path.dirname(file), state, { dist })
  try {
    await exporter.caughtUp
    const usage = usageOf(exporter.child)
    const entries = sumOf(await scrape(exporter), 'audit_entries_total')
    if (entries !== lines) throw new Error(`exporter: counted ${entries} of ${lines} entries`)
    return usage
  } finally {
    await exporter.stop()
  }
}
