import path from 'node:path'

/** The state cannot be opened or written; the message says where, why and what to do. */
export class StateError extends Error {
  override readonly name = 'StateError'
}

const SQLITE_BUSY = 5
const SQLITE_READONLY = 8
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_CANTOPEN = 14
const SQLITE_NOTADB = 26

/** An error of SQLite or of the file system as a `StateError`: operation, file, cause and what to do. */
export function explain(error: unknown, operation: 'open' | 'write', file: string): StateError {
  const { message, errcode } = error as { message: string; errcode?: number }
  return new StateError(sentence(message, errcode ?? 0, operation, file), { cause: error })
}

function sentence(message: string, errcode: number, operation: string, file: string): string {
  const failed = `Failed to ${operation} the state ${file}:`
  // The low byte is the primary code.
  switch (errcode & 0xff) {
    case SQLITE_BUSY:
      return `${failed} another process is using it. Stop that process, or set --state to another directory.`
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return damaged(file, message)
    case SQLITE_FULL:
      return `${failed} the disk is full. Free some space; reading continues by itself.`
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return `${failed} ${message}. Make ${path.dirname(file)} writable for ${user()}, or set --state to another directory.`
    default:
      return `${failed} ${message}. Check that ${path.dirname(file)} is a writable directory on a healthy disk.`
  }
}

const user = (): string => (process.getuid === undefined ? 'this user' : `user ${process.getuid()}`)

const NEW_BASELINE = 'what is in the files then becomes the new baseline.'

export const damaged = (file: string, cause: string): string =>
  `Failed to open the state ${file}: it is damaged (${cause}). Restore it from a backup, ` +
  `or move it away to start with a new state: ${NEW_BASELINE}`

export const removed = (file: string): string =>
  `Failed to write the state ${file}: it was removed or replaced while in use. Restore it, or restart the exporter ` +
  `to start with a new state: ${NEW_BASELINE}`

export const emptied = (file: string, evidence: string): string =>
  `Failed to open the state ${file}: it is empty, but ${evidence} shows that it was not. Restore it from a backup, ` +
  `or remove both files to start with a new state: ${NEW_BASELINE}`

export const tooNew = (file: string, version: number, supported: number): string =>
  `Failed to open the state ${file}: its format ${version} is newer than this version supports (${supported}). ` +
  'Run the newer version again, or set --state to another directory.'

export const notMigrated = (file: string, from: number, to: number, cause: string): string =>
  `Failed to migrate the state ${file} from format ${from} to ${to}: ${cause}. Nothing was changed. ` +
  `Run the previous version again, or move the file away to start with a new state: ${NEW_BASELINE}`
