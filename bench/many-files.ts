import { rmSync, utimesSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { writeCorpus } from '../src/simulate/corpus.ts'
import { megabytes, printTable, usageOf } from './measured.ts'
import { DIST, startExporter } from './started.ts'

export interface FilesOptions {
  readonly directory: string
  readonly files: number
  /** How long the idle exporter is measured; several times the interval of its scans, 10 s. */
  readonly idleSeconds: number
  /** Another build of the program, to compare with; a directory like `dist/program`. */
  readonly beside?: string | undefined
}

/** Longer than a directory is watched after its last change. */
const OLD_MS = 3_600_000
const SETTLE_MS = 2_000

/** Many builds that are over, one directory and one trace each: their directories have just changed, or long ago. */
export async function benchFiles({ directory, files, idleSeconds, beside }: FilesOptions): Promise<void> {
  const root = path.join(directory, 'builds')
  const paths = Array.from({ length: files }, (_, i) => path.join(root, `build-${i}`, 'audit_trace.jsonl'))
  await writeCorpus(paths, {
    seed: 1,
    size: { builds: files },
    startMs: Date.now() - 2 * OLD_MS,
    spanMs: OLD_MS,
  })
  const rows = [['directories', 'build', 'ready', 'CPU until then', 'RSS', 'peak', 'idle CPU']]
  const lookAll = async (age: string): Promise<void> => {
    for (const dist of [DIST, ...(beside === undefined ? [] : [beside])])
      rows.push([age, dist === DIST ? 'this' : dist, ...(await look(root, directory, idleSeconds, dist))])
  }
  await lookAll('new')
  const old = new Date(Date.now() - OLD_MS)
  for (const file of paths) {
    utimesSync(file, old, old)
    utimesSync(path.dirname(file), old, old)
  }
  await lookAll('old')
  console.log(`${files} files`)
  printTable(rows)
}

async function look(root: string, directory: string, idleSeconds: number, dist: string): Promise<string[]> {
  const state = path.join(directory, 'state')
  rmSync(state, { recursive: true, force: true })
  const started = performance.now()
  const exporter = await startExporter(root, state, { dist })
  try {
    await exporter.caughtUp
    const readySeconds = (performance.now() - started) / 1_000
    const ready = usageOf(exporter.child)
    await wait(SETTLE_MS)
    const before = usageOf(exporter.child)
    await wait(idleSeconds * 1_000)
    const after = usageOf(exporter.child)
    return [
      `${readySeconds.toFixed(1)} s`,
      `${ready.cpuSeconds.toFixed(1)} s`,
      megabytes(after.residentBytes),
      megabytes(after.peakBytes),
      `${((100 * (after.cpuSeconds - before.cpuSeconds)) / idleSeconds).toFixed(1)} %`,
    ]
  } finally {
    await exporter.stop()
  }
}
