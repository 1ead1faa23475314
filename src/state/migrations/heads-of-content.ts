import type { DatabaseSync } from 'node:sqlite'

/** Version 2 to 3: a copy is told by more than its first line. Of content known so far only that line is known. */
export function headsOfContent(database: DatabaseSync): void {
  for (const table of ['file_heads', 'past_heads']) {
    database.exec(`
      ALTER TABLE ${table} RENAME COLUMN head TO first_line;
      ALTER TABLE ${table} ADD COLUMN prefix_bytes INTEGER NOT NULL DEFAULT 0;
      ALTER TABLE ${table} ADD COLUMN prefix TEXT NOT NULL DEFAULT '';
    `)
  }
}
