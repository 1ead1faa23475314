import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'

/**
 * Version 4 to 5: a series may wait at its base for an export that is pushed, and the state has an instance ID. What was
 * counted before is the baseline of pushes.
 */
export function pushes(database: DatabaseSync): void {
  database.exec('ALTER TABLE series ADD COLUMN push_base TEXT')
  database.prepare("INSERT INTO meta (key, value) VALUES ('instance_id', ?)").run(randomUUID())
}
