import type { DatabaseSync } from 'node:sqlite'

/** Version 6 to 7: the builds that started last are listed. Those of before are not: where their entries stand was not kept. */
export function recentBuilds(database: DatabaseSync): void {
  database.exec(
    'CREATE TABLE recent_builds (run_id TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT, WITHOUT ROWID',
  )
}
