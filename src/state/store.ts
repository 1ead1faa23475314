import fs from 'node:fs'
import type { StatementSync } from 'node:sqlite'
import type { Durable, Reader, SqlValue } from './durable.ts'
import { openDatabase, type OpenedDatabase } from './open-database.ts'
import { explain, removed, StateError } from './state-error.ts'

export interface Store extends Reader {
  /**
   * Whether there was no state before, since when there is one, in milliseconds since 1970 if known, and the UUID that
   * tells it from every other state.
   */
  readonly origin: Pick<OpenedDatabase, 'isNew' | 'createdMs' | 'instanceId'>
  /** Writes what every part has changed as one transaction; on return it is on disk. Throws a `StateError`. */
  commit(parts: readonly Durable[]): void
  /**
   * Writes what every part has changed into a transaction that the next `commit` ends: of more changes than memory
   * holds, all or none are kept. Throws a `StateError`; nothing of the transaction is kept then.
   */
  stage(parts: readonly Durable[]): void
  /** Bytes of the database and its log on disk; `undefined` if that cannot be read. Never throws. */
  sizeBytes(): number | undefined
  close(): void
}

/**
 * Opens the state in a directory, creates it if there is none, and locks it for this process.
 * `nowMs` is the time of creation. Throws a `StateError` if the directory cannot be written, or if the database is
 * damaged, empty but was not, newer than this version, or in use by another process; nothing is overwritten then.
 */
export function openStore(directory: string, nowMs: number = Date.now()): Store {
  const { database, file, ...origin } = openDatabase(directory, nowMs)
  const inode = inodeOf(file)
  const statements = new Map<string, StatementSync>()
  const statement = (sql: string): StatementSync => {
    const found = statements.get(sql)
    if (found !== undefined) return found
    const made = database.prepare(sql)
    statements.set(sql, made)
    return made
  }
  const transaction = {
    run(sql: string, ...values: SqlValue[]): void {
      statement(sql).run(...values)
    },
  }
  function write(parts: readonly Durable[]): void {
    // SQLite continues to write to a file that has no name any more, and the next start would find no state.
    if (isGone(file, inode)) throw new StateError(removed(file))
    if (!database.isTransaction) database.exec('BEGIN IMMEDIATE')
    for (const part of parts) part.write(transaction)
  }
  function attempt(action: () => void): void {
    try {
      action()
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error instanceof StateError ? error : explain(error, 'write', file)
    }
  }
  return {
    origin,
    all: (sql, ...values) => statement(sql).all(...values),
    stage(parts) {
      attempt(() => write(parts))
      for (const part of parts) part.committed()
    },
    commit(parts) {
      attempt(() => {
        write(parts)
        database.exec('COMMIT')
      })
      for (const part of parts) part.committed()
    },
    sizeBytes() {
      const [main, log] = [sizeOf(file), sizeOf(`${file}-wal`)]
      return main === undefined || log === undefined ? undefined : main + log
    },
    close: () => database.close(),
  }
}

/** 0 if there is no file, `undefined` on any other failure. */
function sizeOf(file: string): number | undefined {
  try {
    return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0
  } catch {
    return undefined
  }
}

const inodeOf = (file: string): bigint | undefined =>
  fs.statSync(file, { throwIfNoEntry: false, bigint: true })?.ino

/** Whether another file, or none, has the name now. `false` if the file system does not answer. */
function isGone(file: string, inode: bigint | undefined): boolean {
  try {
    return inodeOf(file) !== inode
  } catch {
    return false
  }
}
