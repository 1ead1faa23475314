import type { DatabaseSync } from 'node:sqlite'
import { births } from './migrations/births.ts'
import { buildsByNumber } from './migrations/builds-by-number.ts'
import { headsOfContent } from './migrations/heads-of-content.ts'
import { namesNotPositions } from './migrations/names-not-positions.ts'
import { projects } from './migrations/projects.ts'
import { pushes } from './migrations/pushes.ts'
import { recentBuilds } from './migrations/recent-builds.ts'
import { sums, sumsByPhase } from './migrations/sums.ts'
import { SCHEMA_VERSION } from './schema.ts'
import { notMigrated, StateError } from './state-error.ts'

/** Changes the tables and rows of one version into those of the next. Throws if a row is not as that version wrote it. */
type Migration = (database: DatabaseSync, nowMs: number) => void

/** From version 1 to 2, from 2 to 3, and so on. One that was released never changes. */
const MIGRATIONS: readonly Migration[] = [
  namesNotPositions,
  headsOfContent,
  births,
  pushes,
  projects,
  recentBuilds,
  sums,
  sumsByPhase,
  buildsByNumber,
]

/**
 * Brings a state to the current version, one version at a time, each in a transaction of its own.
 * Throws a `StateError` if that fails; the state is then as the last successful step left it.
 */
export function migrate(database: DatabaseSync, version: number, file: string, nowMs: number): void {
  for (let from = version; from < SCHEMA_VERSION; from++) {
    database.exec('BEGIN IMMEDIATE')
    try {
      MIGRATIONS[from - 1]?.(database, nowMs)
      database.exec(`PRAGMA user_version = ${from + 1}; COMMIT`)
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw new StateError(notMigrated(file, from, from + 1, (error as Error).message), { cause: error })
    }
  }
}
