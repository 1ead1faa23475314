import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { emptyResource } from '@opentelemetry/resources'
import { onTestFinished } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { parseWatchConfig } from '../../src/commands/watch-flags.ts'
import type { PriceList } from '../../src/entry/prices.ts'
import { createEngine, type Engine } from '../../src/engine.ts'
import type { Events } from '../../src/events.ts'
import { openStore, type Store } from '../../src/state/store.ts'
import { nodeFileSystem, type FileSystem } from '../../src/tail/file-system.ts'
import { parseExposition } from './exposition.ts'
import { samplesOf } from './otlp.ts'

/** Creates a directory for one test and removes it afterwards. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'audit-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export interface ManualClock extends Clock {
  advance(ms: number): void
  /** Moves only the wall clock, as when somebody sets it. */
  jump(ms: number): void
}

/** A clock that only moves when the test moves it. */
export function createManualClock(startMs: number): ManualClock {
  let wallMs = startMs
  let monotonicMs = 0
  return {
    wallMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    advance(ms) {
      wallMs += ms
      monotonicMs += ms
    },
    jump(ms) {
      wallMs += ms
    },
  }
}

export type Told = { readonly event: keyof Events; readonly args: readonly unknown[] }

/** Records every event. */
export function createRecorder(): { events: Events; told: Told[] } {
  const told: Told[] = []
  const events = new Proxy({} as Events, {
    get:
      (_, event: keyof Events) =>
      (...args: unknown[]) =>
        void told.push({ event, args }),
  })
  return { events, told }
}

export interface TestExporter extends Engine {
  /** Directory of its state. */
  readonly state: string
  readonly clock: ManualClock
  readonly told: Told[]
  /** One round of the loop: scans, reads, closes builds and commits. */
  round(): Promise<void>
  /** A scrape whose response arrives in full; with `lost`, one whose response never arrives. */
  scrape(options?: { lost?: boolean }): Promise<Map<string, number>>
  /** An export that the endpoint accepts, by the same names; with `lost`, one that it does not. Needs `pushes`. */
  push(options?: { lost?: boolean }): Promise<Map<string, number>>
  /** The text of such a scrape. */
  scrapeText(): Promise<string>
  /** Drops everything that is only in memory, as kill -9 does. */
  crash(): Promise<void>
}

export interface TestExporterOptions {
  readonly roots: readonly string[]
  readonly state: string
  readonly flags?: Record<string, unknown>
  /** What `--prices` reads. */
  readonly priceList?: PriceList | undefined
  readonly clock?: ManualClock
  /** Whether the metrics are also pushed. Default: no. */
  readonly pushes?: boolean
  readonly fs?: FileSystem
  /** Injects faults of the state. */
  readonly wrapStore?: (store: Store) => Store
  readonly sliceBytes?: number
  /** Called where the daemon would rest a second; does nothing unless given. */
  readonly waitToRetry?: () => Promise<void>
}

/** Default start of the clock of a test. */
export const NOON = Date.parse('2026-11-20T12:00:00Z')

/** Opens the daemon without process, timers and socket, with real files and a real state. */
export function openExporter(options: TestExporterOptions): TestExporter {
  const clock = options.clock ?? createManualClock(NOON)
  const { events, told } = createRecorder()
  const { wrapStore = (store: Store) => store } = options
  const store = wrapStore(openStore(options.state))
  let open = true
  const config = parseWatchConfig({ ...options.flags, roots: options.roots })
  const engine = createEngine(
    { ...config, priceList: options.priceList },
    {
      store,
      fs: options.fs ?? nodeFileSystem,
      clock,
      events,
      waitToRetry: options.waitToRetry ?? (() => Promise.resolve()),
      stopped: () => !open,
      onCommit: () => undefined,
      ...(options.pushes === true && { pushResource: emptyResource() }),
      ...(options.sliceBytes === undefined ? {} : { sliceBytes: options.sliceBytes }),
    },
  )
  const crash = async (): Promise<void> => {
    if (!open) return
    open = false
    await engine.tail.close()
    store.close()
  }
  onTestFinished(crash)
  const scrapeText = async ({ lost = false } = {}): Promise<string> => {
    const { body, sent } = await engine.exposition.scrape()
    if (!lost) sent()
    return body
  }
  return {
    ...engine,
    state: options.state,
    clock,
    told,
    async round() {
      const foundUpToMs = clock.wallMs()
      await engine.tail.scan()
      await engine.tail.poll()
      const drained = await engine.tail.drain()
      engine.afterRound({ drained, foundUpToMs })
    },
    scrapeText,
    scrape: async (how) => parseExposition(await scrapeText(how)),
    async push({ lost = false } = {}) {
      if (engine.pushSource === undefined) throw new Error('this exporter does not push')
      const { resourceMetrics, received } = await engine.pushSource.collect()
      if (!lost) received()
      return samplesOf(resourceMetrics)
    },
    crash,
  }
}

/** Like `openExporter`, and completes the first pass. */
export async function startExporter(options: TestExporterOptions): Promise<TestExporter> {
  const exporter = openExporter(options)
  await exporter.firstPass()
  return exporter
}
