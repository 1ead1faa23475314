import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeDirectorySync } from '../make-directory.ts'
import { migrate } from './migrations.ts'
import { CREATE, SCHEMA_VERSION } from './schema.ts'
import { damaged, emptied, explain, StateError, tooNew } from './state-error.ts'

export interface OpenedDatabase {
  readonly database: DatabaseSync
  readonly file: string
  /** Whether there was no state before. */
  readonly isNew: boolean
  /** When the state was created, in milliseconds since 1970; `undefined` for one of version 1. */
  readonly createdMs: number | undefined
  /** A UUID that stays with the state: no other state has it. */
  readonly instanceId: string
}

const FILE_NAME = 'state.sqlite'
/** Stands beside the database from its creation on: an empty database with it beside has lost its content. */
const MARKER_NAME = 'state.created'

/**
 * Opens the database in a directory, makes or migrates its tables, and locks it for this process.
 * Throws a `StateError` if it cannot, or if the content is damaged, lost, newer than this version, or in use;
 * nothing is overwritten then.
 */
export function openDatabase(directory: string, nowMs: number): OpenedDatabase {
  const file = path.join(directory, FILE_NAME)
  refuseLostContent(directory, file)
  const database = open(directory, file)
  try {
    return prepare(database, directory, file, nowMs)
  } catch (error) {
    database.close()
    throw error instanceof StateError ? error : explain(error, 'open', file)
  }
}

/** SQLite takes an empty file for a new database: after a crash of the host or a full disk it may be what is left of one. */
function refuseLostContent(directory: string, file: string): void {
  if (sizeOf(file) !== 0) return
  for (const evidence of [`${file}-wal`, path.join(directory, MARKER_NAME)]) {
    if ((sizeOf(evidence) ?? 0) > 0) throw new StateError(emptied(file, evidence))
  }
}

const sizeOf = (file: string): number | undefined => {
  try {
    return fs.statSync(file, { throwIfNoEntry: false })?.size
  } catch {
    return undefined
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

function prepare(database: DatabaseSync, directory: string, file: string, nowMs: number): OpenedDatabase {
  // Set before the log is first read, this locks out every other process until the database is closed.
  database.exec('PRAGMA locking_mode = EXCLUSIVE')
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version > SCHEMA_VERSION) throw new StateError(tooNew(file, version, SCHEMA_VERSION))
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000')
  // Takes the lock also where nothing is to be written.
  database.exec('BEGIN IMMEDIATE; COMMIT')
  refuseDamage(database, file)
  if (version === 0) create(database, nowMs)
  else migrate(database, version, file, nowMs)
  const created = valueOf(database, 'created_ms')
  const createdMs = created === undefined ? undefined : Number(created)
  writeMarker(directory, createdMs ?? nowMs)
  const instanceId = valueOf(database, 'instance_id') ?? ''
  return { database, file, isNew: version === 0, createdMs, instanceId }
}

function refuseDamage(database: DatabaseSync, file: string): void {
  const [check] = database.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[]
  if (check?.quick_check !== 'ok') throw new StateError(damaged(file, check?.quick_check ?? 'no answer'))
}

function create(database: DatabaseSync, nowMs: number): void {
  database.exec(`BEGIN IMMEDIATE; ${CREATE} PRAGMA user_version = ${SCHEMA_VERSION};`)
  const insert = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)')
  insert.run('created_ms', String(nowMs))
  insert.run('instance_id', randomUUID())
  database.exec('COMMIT')
}

function valueOf(database: DatabaseSync, key: string): string | undefined {
  const row = database.prepare('SELECT value FROM meta WHERE key = ?').get(key)
  return row === undefined ? undefined : String(row['value'])
}

function writeMarker(directory: string, createdMs: number): void {
  const marker = path.join(directory, MARKER_NAME)
  if (sizeOf(marker)) return
  fs.writeFileSync(marker, `${new Date(createdMs).toISOString()}\n`)
  syncDirectory(directory)
}

/** The name of a new file is on disk only once its directory is. */
function syncDirectory(directory: string): void {
  const handle = fs.openSync(directory, 'r')
  try {
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
}
