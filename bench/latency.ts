import { appendFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { entryLine } from './entry-line.ts'
import { printTable, quantile } from './measured.ts'
import { scrape, startExporter, sumOf, type StartedExporter } from './started.ts'

export interface LatencyOptions {
  readonly directory: string
  readonly appends: number
}

const BUSY_FILES = 8
const BUSY_LINES_PER_SECOND = 2_000
const BUSY_TICK_MS = 20

/** From the append of a line until a scrape shows it, with nothing else to read and with other files growing. */
export async function benchLatency({ directory, appends }: LatencyOptions): Promise<void> {
  const root = path.join(directory, 'builds')
  const fileOf = (name: string): string => {
    mkdirSync(path.join(root, name), { recursive: true })
    return path.join(root, name, 'audit_trace.jsonl')
  }
  const file = fileOf('measured')
  const others = Array.from({ length: BUSY_FILES }, (_, i) => fileOf(`busy-${i}`))
  // No series may be new: a new one is held back at zero.
  for (const each of [file, ...others]) appendFileSync(each, entryLine({ step_name: stepOf(each, file) }))
  const exporter = await startExporter(root, path.join(directory, 'state'))
  try {
    await exporter.caughtUp
    const quiet = await measure(exporter, file, appends)
    const stop = keepBusy(others)
    const busy = await measure(exporter, file, appends)
    stop()
    const row = (name: string, all: readonly number[]): string[] => [
      name,
      ...[0.5, 0.99, 1].map((share) => `${quantile(all, share).toFixed(1)} ms`),
    ]
    printTable([
      [`${appends} appends`, 'p50', 'p99', 'longest'],
      row('other files at rest', quiet),
      row(`${BUSY_LINES_PER_SECOND} lines/s in other files`, busy),
    ])
  } finally {
    await exporter.stop()
  }
}

const stepOf = (file: string, measured: string): string => (file === measured ? 'measured' : 'busy')

/** Scrapes without a pause: what it measures includes the scrape itself. */
async function measure(exporter: StartedExporter, file: string, appends: number): Promise<number[]> {
  const entries = async (): Promise<number> =>
    sumOf(await scrape(exporter), 'audit_entries_total', '[^}]*step="measured".*')
  const all: number[] = []
  let seen = await entries()
  for (let i = 0; i < appends; i++) {
    await wait(20 + 60 * Math.random())
    const appended = performance.now()
    appendFileSync(file, entryLine({ step_name: 'measured' }))
    const wanted = seen + 1
    while (seen < wanted) seen = await entries()
    all.push(performance.now() - appended)
  }
  return all
}

function keepBusy(files: readonly string[]): () => void {
  const lines = entryLine({ step_name: 'busy' }).repeat((BUSY_LINES_PER_SECOND * BUSY_TICK_MS) / 1_000)
  let tick = 0
  const timer = setInterval(() => appendFileSync(files[tick++ % files.length] ?? '', lines), BUSY_TICK_MS)
  return () => clearInterval(timer)
}
