import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { PriceList } from '../../src/entry/prices.ts'
import type { Store } from '../../src/state/store.ts'
import {
  createManualClock,
  NOON,
  startExporter,
  temporaryDirectory,
  type ManualClock,
  type TestExporter,
} from './exporter.ts'
import { seriesKey } from './exposition.ts'

/** One trace and an exporter that can be killed and restarted. It is closed with its test. */
export interface EngineWorld {
  readonly trace: string
  readonly clock: ManualClock
  /** The exporter that is running. */
  readonly exporter: TestExporter
  append(...entries: readonly Record<string, unknown>[]): void
  /** Reads everything that is in the trace. */
  read(): Promise<void>
  scrape: TestExporter['scrape']
  /** The value of one series on a scrape that is not counted as seen. */
  peek(name: string, labels: Readonly<Record<string, string>>): Promise<number | undefined>
  /** Kills the exporter with everything uncommitted, runs `meanwhile`, and starts it again. */
  restart(meanwhile?: () => void): Promise<void>
}

export interface EngineOptions {
  /** The options of `watch`; changes take effect at the next restart. */
  readonly flags?: Record<string, unknown>
  /** The content of the trace before the very first start. */
  readonly before?: readonly Record<string, unknown>[]
  /** What `--prices` reads. Changes take effect at the next restart. */
  readonly priceList?: PriceList | undefined
  readonly wrapStore?: (store: Store) => Store
  /** Whether the metrics are also pushed. Changes take effect at the next restart. */
  readonly pushes?: boolean
}

export async function createEngineWorld(options: EngineOptions = {}): Promise<EngineWorld> {
  const { before = [] } = options
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  const trace = path.join(root, 'audit_trace.jsonl')
  const clock = createManualClock(NOON)
  const start = (): Promise<TestExporter> =>
    startExporter({ roots: [root], state: path.join(directory, 'state'), clock, ...options })

  function append(...entries: readonly Record<string, unknown>[]): void {
    const lines = entries.map((entry, i) => ({
      workflow_run_id: 'run',
      step_name: 'scaffold',
      timestamp: new Date(clock.wallMs() + i).toISOString(),
      ...entry,
    }))
    appendFileSync(trace, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  }

  mkdirSync(root)
  writeFileSync(trace, '')
  append(...before)
  let exporter = await start()
  return {
    trace,
    clock,
    get exporter() {
      return exporter
    },
    append,
    read: () => exporter.round(),
    scrape: (how) => exporter.scrape(how),
    peek: async (name, labels) => (await exporter.scrape({ lost: true })).get(seriesKey(name, labels)),
    async restart(meanwhile) {
      await exporter.crash()
      meanwhile?.()
      exporter = await start()
    },
  }
}
