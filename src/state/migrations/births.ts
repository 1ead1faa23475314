import type { DatabaseSync } from 'node:sqlite'

/**
 * Version 3 to 4: a series has a birth, the start time of its cumulative points. For series that existed before it is
 * unknown; they are born at the moment of the migration.
 */
export function births(database: DatabaseSync, nowMs: number): void {
  database.exec('ALTER TABLE series ADD COLUMN born_ms REAL NOT NULL DEFAULT 0')
  database.prepare('UPDATE series SET born_ms = ?').run(nowMs)
}
