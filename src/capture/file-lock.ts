import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'

const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 20

/** When to stop waiting for a lock. */
export interface Patience {
  /** The holders get nothing done for so long: one of them is stopped. */
  readonly standstillMs: number
  /** What changes while the holders get on. A queue, however long, is no reason to give up. */
  readonly progress: () => Promise<unknown>
}

/**
 * Runs `body` while no other process (and no other call in this one) holds the same lock.
 *
 * The lock is the operating system's own, taken by SQLite on an empty file: Node.js has no file locks itself, and
 * a lock file of one's own outlives a writer that was killed. This one ends with its process, whatever ends it.
 * Throws where the holders of the lock stand still for too long, or its file cannot be created.
 */
export async function withFileLock<T>(path: string, body: () => Promise<T>, patience: Patience): Promise<T> {
  const database = open(path)
  try {
    await acquire(database, path, patience)
    return await body()
  } finally {
    // Closing rolls back the transaction, which wrote nothing: the file stays empty.
    database.close()
  }
}

function open(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { timeout: 0 })
  } catch (error) {
    throw new Error(`cannot open the lock ${path}: ${(error as Error).message}. Is its directory writable?`, {
      cause: error,
    })
  }
}

async function acquire(database: DatabaseSync, path: string, patience: Patience): Promise<void> {
  const { standstillMs, progress } = patience
  let seen: unknown
  let deadline = performance.now() + standstillMs
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      database.exec('BEGIN EXCLUSIVE')
      return
    } catch (error) {
      if (!isBusy(error)) {
        throw new Error(`cannot lock ${path}: ${(error as Error).message}`, { cause: error })
      }
      const now = await progress()
      if (now !== seen) {
        seen = now
        deadline = performance.now() + standstillMs
      } else if (performance.now() > deadline) {
        throw new Error(
          `cannot lock ${path}: another writer holds it and has written nothing for ${String(standstillMs)} ms. Is it stopped?`,
          { cause: error },
        )
      }
    }
    // Never twice the same pause: writers that started together would go on meeting each other.
    await delay(pauseMs * (0.5 + Math.random()))
  }
}

const SQLITE_BUSY = 5

const isBusy = (error: unknown): boolean =>
  ((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY
