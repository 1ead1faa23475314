import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Events } from '../../src/events.ts'
import type { Durable, Transaction } from '../../src/state/durable.ts'
import { openStore, type Store } from '../../src/state/store.ts'
import { nodeFileSystem, type FileSystem } from '../../src/tail/file-system.ts'
import { createReader, type LineSink } from '../../src/tail/reader.ts'
import { createRegistry, type Registry } from '../../src/tail/registry.ts'
import { createTail, type Tail } from '../../src/tail/tail.ts'
import { pendingBytes } from '../../src/tail/tracked-file.ts'

export const TRACE = 'audit_trace.jsonl'

export interface WorldOptions {
  readonly maxLineBytes?: number
  readonly sliceBytes?: number
  readonly fs?: FileSystem
  readonly coldAfterMs?: number
  readonly maxOpenFiles?: number
  readonly turnsAScan?: number
  /** Below the directory that the files are written to; that directory itself, unless said otherwise. */
  readonly roots?: (root: string) => string[]
}

/** What has been read, in memory; as of the last commit once the world has been crashed. */
interface Tally {
  /** How often each line was handed on. */
  readonly lines: Map<string, number>
  readonly bytes: { counted: number; rejected: number; skipped: number }
  tooLong: number
  truncations: number
  rotations: number
}

/**
 * The tail with a real store over real files, and a count of the lines that it hands on in place of the
 * audits. `crash` drops all that is not committed, as the end of the process would.
 */
export interface World {
  /** Where the files are written. */
  readonly root: string
  readonly trace: string
  readonly tally: Tally
  readonly tail: Tail
  readonly registry: Registry
  /** Wall clock in milliseconds; tests move it. */
  nowMs: number
  monotonicMs: number
  readonly events: { name: string; args: unknown[] }[]
  scan(): Promise<void>
  drain(): Promise<void>
  commit(): void
  /** Scan and drain until nothing changes. */
  catchUp(): Promise<void>
  crash(): Promise<void>
  /** The same, and a start with these roots. */
  restart(roots?: WorldOptions['roots']): Promise<void>
  /** Fails where the bytes of a file do not add up. */
  assertBalance(): void
  end(): Promise<void>
}

interface Run {
  readonly store: Store
  readonly registry: Registry
  readonly tail: Tail
  readonly tally: Tally
  readonly commit: () => void
}

export function createWorld(options: WorldOptions = {}): World {
  const directory = mkdtempSync(path.join(tmpdir(), 'tail-'))
  const root = path.join(directory, 'files')
  const state = path.join(directory, 'state')
  const events: World['events'] = []
  let roots = options.roots ?? ((root: string) => [root])
  let run: Run

  function start(): Run {
    const store = openStore(state)
    const registry = createRegistry(store)
    // The test's own directories are too young to show whether their file system keeps birth times.
    if (options.fs === undefined) {
      const { dev, birthtimeNs } = statSync(directory, { bigint: true })
      registry.learn({ device: dev, birthNs: birthtimeNs, changedNs: birthtimeNs + 1n })
    }
    const [kept] = store.all("SELECT value FROM meta WHERE key = 'test.tally'")
    const tally = thaw(kept?.['value'])
    const sink: LineSink = {
      line(text) {
        tally.lines.set(text, (tally.lines.get(text) ?? 0) + 1)
        return text.startsWith('reject') ? 'rejected' : 'counted'
      },
      invalidUtf8: () => 'rejected',
      tooLong: () => void tally.tooLong++,
      bytes: (result, amount) => void (tally.bytes[result] += amount),
      truncated: () => void tally.truncations++,
    }
    const durableTally: Durable = {
      write(transaction: Transaction) {
        transaction.run("INSERT OR REPLACE INTO meta (key, value) VALUES ('test.tally', ?)", freeze(tally))
      },
      committed: () => undefined,
    }
    const commit = (): void => store.commit([registry, durableTally])
    const tail = createTail(
      {
        fs: options.fs ?? nodeFileSystem,
        registry,
        reader: createReader(sink, {
          maxLineBytes: options.maxLineBytes ?? 1 << 20,
          sliceBytes: options.sliceBytes ?? 1 << 16,
        }),
        events: recording(events),
        now: () => world.nowMs,
        monotonicMs: () => world.monotonicMs,
        makeDurable() {
          if (registry.newIdentities() > 0) commit()
          return Promise.resolve()
        },
        onRotation: () => void tally.rotations++,
      },
      {
        roots: roots(root),
        maxLineBytes: options.maxLineBytes ?? 1 << 20,
        fileName: TRACE,
        followSymlinks: false,
        coldAfterMs: options.coldAfterMs ?? 300_000,
        maxOpenFiles: options.maxOpenFiles ?? 256,
        forgetAfterMs: 7 * 86_400_000,
        ...(options.turnsAScan === undefined ? {} : { turnsAScan: options.turnsAScan }),
      },
    )
    return { store, registry, tail, tally, commit }
  }

  const world: World = {
    root,
    trace: path.join(root, TRACE),
    // Birth times are the real clock's.
    nowMs: Date.now(),
    monotonicMs: 0,
    events,
    get tally() {
      return run.tally
    },
    get tail() {
      return run.tail
    },
    get registry() {
      return run.registry
    },
    scan: () => run.tail.scan().then(() => undefined),
    drain: () => run.tail.drain().then(() => undefined),
    commit: () => run.commit(),
    async catchUp() {
      // Twice: a file found to be another one is read at the look after.
      for (let i = 0; i < 2; i++) {
        await run.tail.scan()
        await run.tail.poll()
        await run.tail.drain()
      }
    },
    crash: () => world.restart(),
    async restart(changed = roots) {
      roots = changed
      await run.tail.close()
      run.store.close()
      run = start()
    },
    assertBalance() {
      for (const file of run.registry.all()) {
        if (file.position !== file.counted + file.rejected + file.skipped || pendingBytes(file) < 0)
          throw new Error(`the bytes of ${file.path} do not add up: ${JSON.stringify(file, bigintAsText)}`)
      }
    },
    async end() {
      await run.tail.close()
      run.store.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  run = start()
  return world
}

const bigintAsText = (_: string, value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : value

const freeze = (tally: Tally): string => JSON.stringify({ ...tally, lines: [...tally.lines] })

function thaw(text: unknown): Tally {
  if (typeof text !== 'string')
    return {
      lines: new Map(),
      bytes: { counted: 0, rejected: 0, skipped: 0 },
      tooLong: 0,
      truncations: 0,
      rotations: 0,
    }
  const kept = JSON.parse(text) as Omit<Tally, 'lines'> & { lines: [string, number][] }
  return { ...kept, lines: new Map(kept.lines) }
}

/** Every event by its name, in place of a log. */
function recording(into: World['events']): Events {
  return new Proxy({} as Events, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        void into.push({ name: String(name), args }),
  })
}
