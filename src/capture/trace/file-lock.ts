import { stat, utimes } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'

const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 20
/** What one look at the lock may count as waiting: whoever was stopped or blocked meanwhile has not waited. */
const LONGEST_LOOK_MS = 1_000

/** When to stop waiting for a lock. */
export interface Patience {
  /** The lock changes hands no more for so long: its holder is stopped. A queue, however long, is no reason to give up. */
  readonly standstillMs: number
  /** Milliseconds; default: the system's monotonic clock. */
  readonly now?: () => number
}

/**
 * Runs `body` while no other process (and no other call in this one) holds the same lock.
 *
 * The lock is the operating system's own, taken by SQLite on an empty file: Node.js has no file locks itself, and
 * a lock file of one's own outlives a writer that was killed. This one ends with its process, whatever ends it.
 * Throws where the lock's holder stands still for too long, or its file cannot be created.
 */
export async function withFileLock<T>(path: string, body: () => Promise<T>, patience: Patience): Promise<T> {
  const database = open(path)
  try {
    await acquire(database, path, patience)
    await showProgress(path)
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
  const { standstillMs, now = () => performance.now() } = patience
  let seen: unknown
  let waitedMs = 0
  let lookedMs = now()
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      database.exec('BEGIN EXCLUSIVE')
      return
    } catch (error) {
      if (!isBusy(error)) {
        throw new Error(`cannot lock ${path}: ${(error as Error).message}`, { cause: error })
      }
      const progress = await lastTaken(path)
      const atMs = now()
      waitedMs = progress === seen ? waitedMs + Math.min(atMs - lookedMs, LONGEST_LOOK_MS) : 0
      seen = progress
      lookedMs = atMs
      if (waitedMs > standstillMs) {
        throw new Error(
          `cannot lock ${path}: another writer has held it for ${String(standstillMs)} ms. Is it stopped?`,
          { cause: error },
        )
      }
    }
    // Never twice the same pause: writers that started together would go on meeting each other.
    await delay(pauseMs * (0.5 + Math.random()))
  }
}

/**
 * Every holder touches the lock file, so that those who wait see the lock change hands: the file behind it may stay
 * as it is, or be written by strangers. By its path, never by a handle: closing any handle of this process to the
 * file would let go of the lock (POSIX). Another user's file cannot be touched; then a queue counts as one holder.
 */
async function showProgress(path: string): Promise<void> {
  const now = new Date()
  await utimes(path, now, now).catch(() => undefined)
}

const lastTaken = async (path: string): Promise<bigint | undefined> =>
  (await stat(path, { bigint: true }).catch(() => undefined))?.mtimeNs

const SQLITE_BUSY = 5

const isBusy = (error: unknown): boolean =>
  ((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY
