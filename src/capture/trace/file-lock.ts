import { stat, utimes } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'

const FIRST_PAUSE_MS = 1
const LONGEST_PAUSE_MS = 20
/** Maximum waiting time that one attempt adds: time in which this process itself was stopped is not waiting. */
const LONGEST_LOOK_MS = 1_000

/** When to stop waiting for a lock. */
export interface Patience {
  /** Give up after the lock has not changed hands for this long. The length of the queue does not matter. */
  readonly standstillMs: number
  /** Milliseconds; default: the system's monotonic clock. */
  readonly now?: () => number
}

/**
 * Runs `body` while no other process (and no other call in this one) holds the same lock.
 *
 * It is a lock of the operating system, taken by SQLite on an empty file: Node.js has no API for file locks, and a plain
 * lock file would outlive a killed writer. The system releases this one when its process ends, however it ends.
 * Throws if the lock does not change hands for too long, or if its file cannot be created.
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
    throw new Error(
      `cannot open the lock file ${path}: ${(error as Error).message}. Is the directory writable?`,
      {
        cause: error,
      },
    )
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
          `cannot lock ${path}: another writer has held the lock for ${String(standstillMs)} ms. Find that process and resume or end it`,
          { cause: error },
        )
      }
    }
    // Random, so that writers that started together do not keep colliding.
    await delay(pauseMs * (0.5 + Math.random()))
  }
}

/**
 * Every holder sets the lock file's modification time, so that waiting writers see the lock change hands. This uses the
 * path, never a file handle: in POSIX, closing any handle of the process to the file releases the lock. The file of
 * another user cannot be touched; then several holders look like one.
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
