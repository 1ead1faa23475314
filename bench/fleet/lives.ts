import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { corpusLines, type CorpusLine } from '../../src/simulate/corpus.ts'
import { startExporter } from '../../src/start-exporter.ts'

/** What a sidecar served during its life, from the start of its build to its own end. */
export interface Life {
  readonly durationMs: number
  /** Bodies of `/metrics`, each from its moment on; ascending. */
  readonly served: readonly { readonly atMs: number; readonly body: string }[]
}

/** How many times as fast as in a real build steps follow each other while lives are recorded. */
const SPEED = 20
const DAY_MS = 86_400_000

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

/** Records the lives of real exporters, each beside one simulated build, with the sidecar's flags. Times are those of real builds. */
export async function recordLives(number: number): Promise<Life[]> {
  // Spread over days, so that the builds use several revisions of GEMINI.md.
  const startMs = Date.parse('2026-11-01T00:00:00Z')
  const builds = new Map<string, CorpusLine[]>()
  const size = { seed: 'fleet', size: { builds: number }, startMs, spanMs: 8 * DAY_MS, extensionShare: 1 }
  for (const line of corpusLines(size)) {
    const id = (JSON.parse(line.text) as { workflow_run_id: string }).workflow_run_id
    builds.set(id, [...(builds.get(id) ?? []), line])
  }
  return Promise.all([...builds.values()].map(recordLife))
}

async function recordLife(lines: readonly CorpusLine[]): Promise<Life> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'audit-fleet-'))
  const root = path.join(directory, 'builds')
  mkdirSync(root)
  const exporter = await startExporter({
    paths: [root],
    state: path.join(directory, 'state'),
    listen: '127.0.0.1:0',
    baseline: 'none',
    closeBuildsOnExit: true,
    newSeriesHold: `${30_000 / SPEED}ms`,
    linger: `${60_000 / SPEED}ms`,
    log: silent,
  })
  await exporter.ready
  const beganMs = performance.now()
  const served: { atMs: number; body: string }[] = []
  const ended = new AbortController()
  const sinceMs = (): number => (performance.now() - beganMs) * SPEED
  const scraping = (async () => {
    while (!ended.signal.aborted) {
      const body = await fetch(`${exporter.url}/metrics`)
        .then((response) => (response.ok ? response.text() : undefined))
        .catch(() => undefined)
      if (body !== undefined && body !== served.at(-1)?.body) served.push({ atMs: sinceMs(), body })
      await wait(5_000 / SPEED)
    }
  })()
  // The first step of a build takes half a minute.
  const firstMs = (lines[0]?.atMs ?? 0) - 30_000
  for (const { text, atMs } of lines) {
    await wait(Math.max(0, (atMs - firstMs - sinceMs()) / SPEED))
    appendFileSync(path.join(root, 'audit_trace.jsonl'), text)
  }
  await wait(1_000)
  await exporter.stop()
  ended.abort()
  await scraping
  rmSync(directory, { recursive: true })
  return { durationMs: sinceMs(), served }
}
