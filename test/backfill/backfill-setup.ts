import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { backfill } from '../../src/commands/backfill.ts'
import { backfillOptions } from '../../src/commands/backfill-flags.ts'
import { parseFlags } from '../../src/config/flags.ts'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { createLogger } from '../../src/log.ts'
import { writeCorpus } from '../../src/simulate/corpus.ts'
import { createManualClock, NOON, temporaryDirectory } from '../setup/exporter.ts'
import { start } from '../setup/process.ts'

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts')
export const HOUR = 3_600_000
export const STEP = 240_000

export async function run(...args: string[]): Promise<{ code: number | null; output: string }> {
  const running = start(process.execPath, [MAIN, 'backfill', ...args])
  await once(running.child, 'close')
  return { code: running.child.exitCode, output: running.output() }
}

/** The command in this process, at a moment of the test's choice. */
export async function runHere(
  flags: Record<string, unknown>,
  { nowMs = NOON, signal = new AbortController().signal }: { nowMs?: number; signal?: AbortSignal } = {},
): Promise<{ complete: boolean; printed: string; complaints: string[] }> {
  const complaints: string[] = []
  let printed = ''
  const quiet = openSync('/dev/null', 'w')
  try {
    const complete = await backfill(parseFlags(backfillOptions, flags), {
      clock: createManualClock(nowMs),
      log: createLogger({ fd: quiet, pretty: false }),
      signal,
      print: (text) => (printed += text),
      complain: (line) => complaints.push(line),
    })
    return { complete, printed, complaints }
  } finally {
    closeSync(quiet)
  }
}

/** Two files, builds of both overlapping in time; the last entry is more than four hours old. */
export async function oldTraces(): Promise<{
  directory: string
  files: string[]
  entries: OptimizationLogEntry[]
}> {
  const directory = temporaryDirectory()
  const files = ['a', 'b'].map((name) => path.join(directory, name, 'audit_trace.jsonl'))
  await writeCorpus(files, {
    seed: 'backfill',
    size: { builds: 60 },
    startMs: Date.now() - 30 * HOUR,
    spanMs: 24 * HOUR,
  })
  return { directory, files, entries: files.flatMap(read) }
}

const read = (file: string): OptimizationLogEntry[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as OptimizationLogEntry)

export const at = ({ timestamp }: OptimizationLogEntry): number => Date.parse(timestamp)
