import { systemClock } from '../../src/clock.ts'
import { createLogger } from '../../src/log.ts'
import { runProgram } from '../../src/program.ts'
import type { Durable, Transaction } from '../../src/state/durable.ts'
import { openStore, type Store } from '../../src/state/store.ts'
import { nodeFileSystem, type FileSystem } from '../../src/tail/file-system.ts'

/** Where the process is to end itself, and at which time round. */
export interface Fault {
  readonly point: 'read' | 'before commit' | 'within commit' | 'before return' | 'after commit'
  /** At this commit or read. */
  readonly nth: number
  /** Within a commit: before this row. */
  readonly row: number
}

/**
 * The real exporter, wired to a store and a file system that end the process with SIGKILL at a chosen
 * point: what is left behind is what a crash there leaves.
 */
const fault = JSON.parse(process.env['CHAOS_FAULT'] ?? 'null') as Fault | null
const die = (): void => void process.kill(process.pid, 'SIGKILL')

/** Whether this is the moment: counts down from `nth`. */
function countdown(point: Fault['point']): () => boolean {
  let left = fault?.point === point ? fault.nth : Number.POSITIVE_INFINITY
  return () => --left === 0
}

function fatalStore(directory: string): Store {
  const store = openStore(directory)
  const isBefore = countdown('before commit')
  const isWithin = countdown('within commit')
  const isBeforeReturn = countdown('before return')
  const isAfter = countdown('after commit')
  return {
    ...store,
    commit(parts) {
      if (isBefore()) die()
      const killRow = isWithin() ? (fault?.row ?? 1) : Number.POSITIVE_INFINITY
      let row = 0
      const watched = parts.map((part): Durable => ({
        write(transaction: Transaction) {
          part.write({
            run(sql, ...values) {
              if (++row === killRow) die()
              transaction.run(sql, ...values)
            },
          })
        },
        committed: () => part.committed(),
      }))
      const killBeforeReturn = isBeforeReturn()
      // On disk, and not one part knows it yet.
      const told: Durable = { write: () => undefined, committed: () => killBeforeReturn && die() }
      store.commit([told, ...watched])
      if (isAfter()) die()
    },
  }
}

const isRead = countdown('read')
const fatalFileSystem: FileSystem = {
  ...nodeFileSystem,
  async open(path) {
    const handle = await nodeFileSystem.open(path)
    return {
      facts: () => handle.facts(),
      close: () => handle.close(),
      async read(buffer, offset, length, position) {
        const got = await handle.read(buffer, offset, length, position)
        if (isRead()) die()
        return got
      },
    }
  },
}

const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())

process.exitCode = await runProgram(process.argv, {
  version: 'chaos',
  signal: stop.signal,
  clock: systemClock,
  openLog: ({ logLevel }) => createLogger({ fd: process.stderr.fd, pretty: false, level: logLevel }),
  usage: {
    cpuSeconds: () => process.cpuUsage().user / 1e6,
    residentBytes: () => process.memoryUsage.rss(),
    heapUsedBytes: () => process.memoryUsage().heapUsed,
    startedSeconds: Date.now() / 1000,
  },
  print: (line) => void process.stdout.write(`${line}\n`),
  complain: (line) => void process.stderr.write(`${line}\n`),
  openStore: fatalStore,
  fs: fatalFileSystem,
})
