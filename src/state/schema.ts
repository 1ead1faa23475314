/** Version of the tables below. Raise it with every change of them. */
export const SCHEMA_VERSION = 1

export const CREATE = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Positions of the files. Positions and sizes are bytes. The database itself checks the balance.
CREATE TABLE files (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  device TEXT NOT NULL,
  inode TEXT NOT NULL,
  birth_ns TEXT NOT NULL,
  modified_ns TEXT NOT NULL,
  position INTEGER NOT NULL,
  line INTEGER NOT NULL,
  marker TEXT NOT NULL,
  skipping INTEGER NOT NULL,
  counted INTEGER NOT NULL,
  rejected INTEGER NOT NULL,
  skipped INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  rotated INTEGER NOT NULL,
  missing_since_ms INTEGER,
  CHECK (position = counted + rejected + skipped AND pending >= 0)
) STRICT;

-- One row for every build ever seen: a late entry must never open a second build.
CREATE TABLE builds (run_id TEXT PRIMARY KEY, is_open INTEGER NOT NULL, state TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX open_builds ON builds (run_id) WHERE is_open = 1;

-- Values of every series; base is what is shown until a scrape has seen it.
CREATE TABLE series (
  metric TEXT NOT NULL,
  labels TEXT NOT NULL,
  data TEXT NOT NULL,
  base TEXT,
  base_seen INTEGER NOT NULL,
  PRIMARY KEY (metric, labels)
) STRICT, WITHOUT ROWID;

CREATE TABLE label_values (label TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (label, value)) STRICT, WITHOUT ROWID;

CREATE TABLE contexts (
  hash TEXT PRIMARY KEY,
  full_hash TEXT NOT NULL,
  version INTEGER,
  first_seen_ms INTEGER NOT NULL,
  last_used_ms INTEGER NOT NULL,
  hidden INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`

/** Tables that were added later and change nothing that existed: created if missing, in every version. */
export const ADDED_TABLES = `
-- Start of the last complete scan of each root: an unknown file that was born later has not been seen.
CREATE TABLE IF NOT EXISTS looks (root TEXT PRIMARY KEY, began_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Digests of the files' first lines. A copy has the same.
CREATE TABLE IF NOT EXISTS file_heads (file_id INTEGER PRIMARY KEY, head TEXT NOT NULL) STRICT;

-- The same of content that is gone: a copy of it must not count again.
CREATE TABLE IF NOT EXISTS past_heads (number INTEGER PRIMARY KEY, head TEXT NOT NULL) STRICT;
`
