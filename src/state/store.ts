import fs from 'node:fs'
import path from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { makeDirectorySync } from '../make-directory.ts'
import type { Durable, Reader, SqlValue } from './durable.ts'
import { ADDED_TABLES, CREATE, SCHEMA_VERSION } from './schema.ts'

export interface Store extends Reader {
  /** Writes the changes of all parts in one transaction, which is on disk on return. Throws a `StateError`. */
  commit(parts: readonly Durable[]): void
  /** Bytes of the database and its log on disk; `undefined` if they cannot be read. Never throws. */
  sizeBytes(): number | undefined
  close(): void
}

/** The state could not be opened or written. The message names the path, the cause and what to do. */
class StateError extends Error {
  override readonly name = 'StateError'
}

const FILE_NAME = 'state.sqlite'

/**
 * Opens the state in a directory, creates it if it is missing, and locks it for this process.
 * Throws a `StateError` if the directory is not writable, or the database is damaged, newer than this program,
 * or in use by another process. Nothing is overwritten in that case.
 */
export function openStore(directory: string): Store {
  const file = path.join(directory, FILE_NAME)
  const database = open(directory, file)
  try {
    prepare(database, directory, file)
  } catch (error) {
    database.close()
    throw error instanceof StateError ? error : explain(error, 'open', file)
  }
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
  return {
    all: (sql, ...values) => statement(sql).all(...values),
    commit(parts) {
      try {
        // SQLite keeps writing to a deleted file, and the next start would begin without a state.
        if (isGone(file, inode)) throw new StateError(gone(file))
        database.exec('BEGIN IMMEDIATE')
        for (const part of parts) part.write(transaction)
        database.exec('COMMIT')
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error instanceof StateError ? error : explain(error, 'write', file)
      }
      for (const part of parts) part.committed()
    },
    sizeBytes() {
      const [main, log] = [sizeOf(file), sizeOf(`${file}-wal`)]
      return main === undefined || log === undefined ? undefined : main + log
    },
    close: () => database.close(),
  }
}

function open(directory: string, file: string): DatabaseSync {
  try {
    makeDirectorySync(directory)
    return new DatabaseSync(file)
  } catch (error) {
    throw explain(error, 'open', file)
  }
}

function prepare(database: DatabaseSync, directory: string, file: string): void {
  // Set before the log is first accessed, this locks every other process out until this one ends.
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > SCHEMA_VERSION) {
    throw new StateError(
      `cannot open the state ${file}: its format ${version} is newer than this program's ${SCHEMA_VERSION}. ` +
        'Run the newer version again, or use another directory for --state.',
    )
  }
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000')
  database.exec('BEGIN IMMEDIATE')
  if (version === 0) database.exec(`${CREATE} PRAGMA user_version = ${SCHEMA_VERSION};`)
  database.exec(ADDED_TABLES)
  database.exec('COMMIT')
  const [check] = database.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[]
  if (check?.quick_check !== 'ok') {
    throw new StateError(damaged(file, check?.quick_check ?? 'no answer'))
  }
  if (version === 0) syncDirectory(directory)
}

/** Syncs the directory: without that, the name of a new file may not be on disk. */
function syncDirectory(directory: string): void {
  const handle = fs.openSync(directory, 'r')
  try {
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
}

function sizeOf(file: string): number | undefined {
  try {
    return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0
  } catch {
    return undefined
  }
}

const inodeOf = (file: string): bigint | undefined =>
  fs.statSync(file, { throwIfNoEntry: false, bigint: true })?.ino

/** True if the path leads to another file or to none. False if that cannot be determined. */
function isGone(file: string, inode: bigint | undefined): boolean {
  try {
    return inodeOf(file) !== inode
  } catch {
    return false
  }
}

const gone = (file: string): string =>
  `cannot write the state ${file}: it was removed or replaced while it was in use. Put it back, or restart the exporter ` +
  'to start without it: what is in the files then becomes the new baseline.'

const damaged = (file: string, cause: string): string =>
  `cannot open the state ${file}: it is damaged (${cause}). Restore it from a backup, ` +
  'or move it away to start without it: what is in the files then becomes the new baseline.'

const SQLITE_FULL = 13
const SQLITE_BUSY = 5
const SQLITE_READONLY = 8
const SQLITE_CORRUPT = 11
const SQLITE_CANTOPEN = 14
const SQLITE_NOTADB = 26

/** Turns an error of SQLite into one that names operation, path, cause and what to do. */
function explain(error: unknown, operation: 'open' | 'write', file: string): StateError {
  const { message, errcode } = error as { message: string; errcode?: number }
  // The low byte is the primary result code, the rest extends it.
  const code = (errcode ?? 0) & 0xff
  const text = ((): string => {
    switch (code) {
      case SQLITE_BUSY:
        return `cannot ${operation} the state ${file}: another process is using it. Stop that process, or use another directory for --state.`
      case SQLITE_NOTADB:
      case SQLITE_CORRUPT:
        return damaged(file, message)
      case SQLITE_FULL:
        return `cannot ${operation} the state ${file}: the disk is full. Free some space; reading then continues.`
      case SQLITE_READONLY:
      case SQLITE_CANTOPEN:
        return `cannot ${operation} the state ${file}: ${message}. Make ${path.dirname(file)} writable for this user, or use another directory for --state.`
      default:
        return `cannot ${operation} the state ${file}: ${message}. Check that ${path.dirname(file)} is a writable directory on a healthy disk.`
    }
  })()
  return new StateError(text, { cause: error })
}
