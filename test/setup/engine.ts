import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseWatchConfig } from '../../src/config/watch-config.ts'
import { createEngine, type Engine } from '../../src/engine.ts'
import type { Events } from '../../src/events.ts'
import { openStore, type Store } from '../../src/state/store.ts'
import { nodeFileSystem } from '../../src/tail/file-system.ts'
import { parseExposition, seriesKey } from './exposition.ts'

/** When the clock of every world begins. */
export const START_MS = Date.parse('2026-06-01T12:00:00Z')

/** The exporter without sockets and timers, on real files and a real state; its clock is the test's. */
export interface EngineWorld {
  readonly root: string
  readonly trace: string
  readonly state: string
  /** Milliseconds; both clocks go on together. */
  readonly clock: { wall: number; monotonic: number }
  readonly engine: Engine
  readonly store: Store
  /** Reads all there is. */
  read(): Promise<void>
  append(...entries: readonly Record<string, unknown>[]): void
  /** A scrape whose answer went out whole; with `lost`, one that never arrived. */
  scrape(options?: { lost?: boolean }): Promise<Map<string, number>>
  /** The value of one series on a scrape that is not counted as seen. */
  peek(name: string, labels: Readonly<Record<string, string>>): Promise<number | undefined>
  pass(ms: number): void
  /** The end of the process, with all that is not committed, and a new start. */
  restart(): Promise<void>
  /** The same; `meanwhile` is done between end and start. */
  restartWith(meanwhile: () => void): Promise<void>
  end(): Promise<void>
}

export interface EngineOptions {
  /** As `watch` takes them; changes hold from the next restart on. */
  readonly flags?: Readonly<Record<string, unknown>>
  /** What stands in the trace before the very first start. */
  readonly before?: readonly Record<string, unknown>[]
  readonly wrapStore?: (store: Store) => Store
}

export async function createEngineWorld(options: EngineOptions = {}): Promise<EngineWorld> {
  const { flags = {}, before = [], wrapStore = (store) => store } = options
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'engine-'))
  const root = path.join(directory, 'files')
  fs.mkdirSync(root)
  const state = path.join(directory, 'state')
  const trace = path.join(root, 'audit_trace.jsonl')
  fs.writeFileSync(trace, '')
  const clock = { wall: START_MS, monotonic: 0 }
  let run: { engine: Engine; store: Store }

  async function start(): Promise<void> {
    const store = wrapStore(openStore(state))
    const config = parseWatchConfig({ roots: [root], ...flags })
    const engine = createEngine(config, {
      store,
      fs: nodeFileSystem,
      clock: { wallMs: () => clock.wall, monotonicMs: () => clock.monotonic },
      events: new Proxy({} as Events, { get: () => () => undefined }),
      waitToRetry: () => Promise.resolve(),
      stopped: () => false,
      onCommit: () => undefined,
    })
    run = { engine, store }
    await engine.firstPass()
  }

  const world: EngineWorld = {
    root,
    trace,
    state,
    clock,
    get engine() {
      return run.engine
    },
    get store() {
      return run.store
    },
    async read() {
      await run.engine.tail.scan()
      await run.engine.tail.drain()
      run.engine.afterRound()
    },
    append(...entries) {
      const lines = entries.map((entry, i) => ({
        workflow_run_id: 'run',
        step_name: 'scaffold',
        timestamp: new Date(clock.wall + i).toISOString(),
        ...entry,
      }))
      fs.appendFileSync(trace, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    },
    async scrape({ lost = false } = {}) {
      const { body, sent } = await run.engine.exposition.scrape()
      if (!lost) sent()
      return parseExposition(body)
    },
    async peek(name, labels) {
      return (await world.scrape({ lost: true })).get(seriesKey(name, labels))
    },
    pass(ms) {
      clock.wall += ms
      clock.monotonic += ms
    },
    restart: () => world.restartWith(() => undefined),
    async restartWith(meanwhile) {
      await run.engine.tail.close()
      await run.engine.exposition.close()
      run.store.close()
      meanwhile()
      await start()
    },
    async end() {
      await run.engine.tail.close()
      await run.engine.exposition.close()
      run.store.close()
      fs.rmSync(directory, { recursive: true, force: true })
    },
  }
  world.append(...before)
  await start()
  return world
}
