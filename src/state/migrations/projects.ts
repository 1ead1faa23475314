import type { DatabaseSync } from 'node:sqlite'

/** Version 5 to 6: builds and revisions have projects. Until now nothing had one, so series keep their labels. */
export function projects(database: DatabaseSync): void {
  database.exec(`
    ALTER TABLE builds ADD COLUMN project TEXT;
    ALTER TABLE contexts ADD COLUMN projects TEXT NOT NULL DEFAULT '[""]';
  `)
}
