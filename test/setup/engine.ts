import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
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

/** One trace, and an exporter of it that can be killed and started anew. It ends with its test. */
export interface EngineWorld {
  readonly trace: string
  readonly clock: ManualClock
  /** The one that runs now. */
  readonly exporter: TestExporter
  append(...entries: readonly Record<string, unknown>[]): void
  /** Reads all there is. */
  read(): Promise<void>
  scrape: TestExporter['scrape']
  /** The value of one series on a scrape that is not counted as seen. */
  peek(name: string, labels: Readonly<Record<string, string>>): Promise<number | undefined>
  /** The end of the process, with all that is not committed, and a new start; `meanwhile` lies between. */
  restart(meanwhile?: () => void): Promise<void>
}

export interface EngineOptions {
  /** As `watch` takes them; changes hold from the next restart on. */
  readonly flags?: Record<string, unknown>
  /** What stands in the trace before the very first start. */
  readonly before?: readonly Record<string, unknown>[]
  readonly wrapStore?: (store: Store) => Store
}

export async function createEngineWorld(options: EngineOptions = {}): Promise<EngineWorld> {
  const { before = [], ...rest } = options
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  const trace = path.join(root, 'audit_trace.jsonl')
  const clock = createManualClock(NOON)
  const start = (): Promise<TestExporter> =>
    startExporter({ roots: [root], state: path.join(directory, 'state'), clock, ...rest })

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
