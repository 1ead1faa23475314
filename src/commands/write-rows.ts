import { existsSync } from 'node:fs'
import os from 'node:os'
import { loadDatabase } from '../audits/database.ts'
import { memoryBudget } from '../audits/memory.ts'
import { systemClock } from '../clock.ts'
import { parseFlags } from '../config/flags.ts'
import { reportOptions, type ReportOptions } from './report-flags.ts'
import { openRun } from './report-run.ts'
import { growRows } from './report-source.ts'

// The process that `watch --rows` starts for each update of its rows. It gets one request and sends one answer.

/** Everything that decides which rows come out. */
export type RowsOptions = Pick<
  ReportOptions,
  | 'paths'
  | 'fileName'
  | 'followSymlinks'
  | 'maxLineBytes'
  | 'buildTimeout'
  | 'phase'
  | 'projectFromPath'
  | 'prices'
>

/** `check` finds out whether rows can be written at all; `update` adds to the rows what the traces have grown by. */
export type RowsRequest =
  | { readonly kind: 'check' }
  | { readonly kind: 'update'; readonly directory: string; readonly options: RowsOptions }

export type RowsAnswer =
  | { readonly kind: 'done'; readonly added: number; readonly faults: readonly string[] }
  | { readonly kind: 'failed'; readonly cause: string }

const MEMORY_BYTES = 512 * 1024 * 1024
const NICENESS = 10

async function answer(request: RowsRequest, signal: AbortSignal): Promise<RowsAnswer> {
  try {
    return request.kind === 'check' ? await check() : await update(request, signal)
  } catch (error) {
    return { kind: 'failed', cause: error instanceof Error ? error.message : String(error) }
  }
}

async function check(): Promise<RowsAnswer> {
  await loadDatabase()
  return { kind: 'done', added: 0, faults: [] }
}

async function update(
  { directory, options }: Extract<RowsRequest, { kind: 'update' }>,
  signal: AbortSignal,
): Promise<RowsAnswer> {
  const complaints: string[] = []
  const run = await openRun(
    {
      ...parseFlags(reportOptions, {}),
      ...options,
      // `watch` waits for paths that do not exist yet; rows of paths that are gone stay.
      paths: options.paths.filter((root) => existsSync(root)),
      memory: Math.min(MEMORY_BYTES, memoryBudget() / 2),
    },
    {
      clock: systemClock,
      signal,
      print: () => undefined,
      complain: (line) => complaints.push(line),
    },
    systemClock.wallMs(),
  )
  try {
    const { updated } = await growRows(run, directory)
    return { kind: 'done', added: updated.added, faults: updated.isComplete ? [] : complaints }
  } finally {
    run.close()
  }
}

if (process.send !== undefined) {
  const stop = new AbortController()
  // Without `watch` nobody waits for the answer, and the next one needs the directory.
  process.once('disconnect', () => stop.abort())
  // A terminal and systemd signal every process of a group: `watch` decides when this one ends.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
  os.setPriority(NICENESS)
  const reply = async (request: RowsRequest): Promise<void> => {
    const answered = await answer(request, stop.signal)
    if (process.connected) process.send?.(answered, () => process.disconnect())
  }
  process.once('message', (request) => void reply(request as RowsRequest))
}
