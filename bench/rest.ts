import { appendFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { entryLine } from './entry-line.ts'
import { megabytes, printTable, runNode, usageOf } from './measured.ts'
import { scrape, startExporter } from './started.ts'

export interface RestOptions {
  readonly directory: string
  /** How long it is scraped each second. */
  readonly minutes: number
}

const SETTLE_MS = 3_000
const SCRAPES = 200

/** The start beside one small trace, and the memory of an exporter that has little to do. */
export async function benchRest({ directory, minutes }: RestOptions): Promise<void> {
  const root = path.join(directory, 'builds')
  mkdirSync(root, { recursive: true })
  appendFileSync(path.join(root, 'audit_trace.jsonl'), entryLine({}))
  const bare = await runNode(['-e', 'console.log(); setInterval(() => undefined, 60_000)'])
  const started = performance.now()
  const exporter = await startExporter(root, path.join(directory, 'state'))
  try {
    await exporter.caughtUp
    const readySeconds = (performance.now() - started) / 1_000
    const start = usageOf(exporter.child)
    await wait(SETTLE_MS)
    const rows = [['at rest', megabytes(usageOf(exporter.child).residentBytes)]]
    for (let i = 0; i < SCRAPES; i++) await scrape(exporter)
    rows.push([`after ${SCRAPES} scrapes`, megabytes(usageOf(exporter.child).residentBytes)])
    const before = usageOf(exporter.child)
    for (let second = 1; second <= minutes * 60; second++) {
      await Promise.all([wait(1_000), scrape(exporter)])
      if (second % Math.ceil(minutes * 15) !== 0) continue
      rows.push([`after ${second} s, scraped each second`, megabytes(usageOf(exporter.child).residentBytes)])
    }
    const after = usageOf(exporter.child)
    const seconds = minutes * 60
    printTable([
      [
        'start to ready',
        `${readySeconds.toFixed(2)} s; bare Node takes ${bare.usage.cpuSeconds.toFixed(2)} s of CPU`,
      ],
      ['CPU of the start', `${start.cpuSeconds.toFixed(2)} s`],
      ...rows,
      ['peak', megabytes(after.peakBytes)],
      ['bare Node', megabytes(bare.usage.residentBytes)],
      ...(seconds > 0
        ? [
            [
              'CPU while scraped each second',
              `${((100 * (after.cpuSeconds - before.cpuSeconds)) / seconds).toFixed(1)} %`,
            ],
          ]
        : []),
    ])
  } finally {
    await exporter.stop()
  }
}
