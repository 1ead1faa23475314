import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { entryLine } from './entry-line.ts'
import { megabytes, printTable, quantile, usageOf } from './measured.ts'
import { scrape, startExporter } from './started.ts'

export interface ScrapeOptions {
  readonly directory: string
  /** About so many series are on the scrape. */
  readonly series: number
  readonly scrapes: number
}

const STEPS = 50
/** A step and a context have three series: entries, and tokens by type. */
const SERIES_OF_PAIR = 3

/** How long a scrape of many series takes. */
export async function benchScrape({ directory, series, scrapes }: ScrapeOptions): Promise<void> {
  const root = path.join(directory, 'builds')
  mkdirSync(root, { recursive: true })
  const contexts = Math.max(1, Math.round(series / STEPS / SERIES_OF_PAIR))
  const lines = Array.from({ length: contexts * STEPS }, (_, i) =>
    entryLine({
      workflow_run_id: `b${i}`,
      step_name: `step_${i % STEPS}`,
      context_file_hash: Math.floor(i / STEPS)
        .toString(16)
        .padEnd(12, 'a')
        .padEnd(64, '0'),
    }),
  )
  writeFileSync(path.join(root, 'audit_trace.jsonl'), lines.join(''))
  const exporter = await startExporter(root, path.join(directory, 'state'), {
    flags: ['--max-context-hashes', '10000'],
  })
  try {
    await exporter.caughtUp
    const times: number[] = []
    let text = ''
    const before = usageOf(exporter.child)
    for (let i = 0; i < scrapes; i++) {
      const started = performance.now()
      text = await scrape(exporter)
      times.push(performance.now() - started)
    }
    const after = usageOf(exporter.child)
    const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
    printTable([
      [`${scrapes} scrapes of ${samples} series`, `${(text.length / 1e6).toFixed(1)} MB of text each`],
      ...[0.5, 0.99].map((share) => [`p${share * 100}`, `${quantile(times, share).toFixed(1)} ms`]),
      ['CPU of each', `${((1_000 * (after.cpuSeconds - before.cpuSeconds)) / scrapes).toFixed(1)} ms`],
      ['RSS', megabytes(after.residentBytes)],
    ])
  } finally {
    await exporter.stop()
  }
}
