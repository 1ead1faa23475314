/** Version of the tables below. Each change of them raises it and adds a migration (`migrations.ts`). */
export const SCHEMA_VERSION = 10

/** The tables of a new state. Values stand in rows by name, never by position: see `migrations/`. */
export const CREATE = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Where reading continues. Positions and sizes are bytes; the database itself checks the balance.
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

-- When the last complete scan of each root began: a file born later that is not known was never seen.
CREATE TABLE looks (root TEXT PRIMARY KEY, began_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- How the files' content begins: digests of the first line, and of the first prefix_bytes. A copy has the same.
CREATE TABLE file_heads (
  file_id INTEGER PRIMARY KEY,
  first_line TEXT NOT NULL,
  prefix_bytes INTEGER NOT NULL DEFAULT 0,
  prefix TEXT NOT NULL DEFAULT ''
) STRICT;

-- The same of content that is gone: a copy of it must not count again.
CREATE TABLE past_heads (
  number INTEGER PRIMARY KEY,
  first_line TEXT NOT NULL,
  prefix_bytes INTEGER NOT NULL DEFAULT 0,
  prefix TEXT NOT NULL DEFAULT ''
) STRICT;

-- One row for every build ever seen: a late entry must never open a second build. An open build has no outcome. What
-- only an open build needs is null once it is closed. Contexts are SHA-256 as base64url: of a closed build the one that
-- it closed with, and that of late entries if it is another. Numbered by first sight: rows come to the end of the table,
-- and the index of hashes (run-hash.ts) is a quarter of one of ids.
CREATE TABLE builds (
  number INTEGER PRIMARY KEY,
  run_hash INTEGER NOT NULL,
  run_id TEXT NOT NULL,
  outcome TEXT,
  context TEXT,
  late_context TEXT,
  failing_error_type TEXT NOT NULL,
  failing_log_chars REAL,
  last_entry_ms REAL NOT NULL,
  failed INTEGER,
  passed_step INTEGER,
  rework_steps INTEGER,
  tokens REAL,
  started_ms REAL,
  idle_since_ms REAL,
  instructions TEXT,
  project TEXT
) STRICT;
CREATE INDEX builds_by_run ON builds (run_hash);
CREATE INDEX open_builds ON builds (number) WHERE outcome IS NULL;

-- The builds that started last, for the page. data: an object of sums over the build's entries, and of the stretches
-- of files in which they stand.
CREATE TABLE recent_builds (run_id TEXT PRIMARY KEY, data TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Values of every series. labels: an object of the labels that are not empty, sorted by name. data: the value of a
-- counter; of a histogram {"sum": …, "buckets": {bound: count, …}}, without empty buckets. base is the same, shown
-- until a scrape has seen it, and push_base, until an export of it was accepted. born_ms: when counting began.
CREATE TABLE series (
  metric TEXT NOT NULL,
  labels TEXT NOT NULL,
  data TEXT NOT NULL,
  base TEXT,
  base_seen INTEGER NOT NULL,
  born_ms REAL NOT NULL DEFAULT 0,
  push_base TEXT,
  PRIMARY KEY (metric, labels)
) STRICT, WITHOUT ROWID;

-- The bounds that the counts of a histogram were made with: counts cannot be moved to other bounds.
CREATE TABLE histograms (metric TEXT PRIMARY KEY, bounds TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE label_values (label TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (label, value)) STRICT, WITHOUT ROWID;

-- projects: an array of the projects that have used the revision; "" for entries without one.
CREATE TABLE contexts (
  hash TEXT PRIMARY KEY,
  full_hash TEXT NOT NULL,
  version INTEGER,
  first_seen_ms INTEGER NOT NULL,
  last_used_ms INTEGER NOT NULL,
  hidden INTEGER NOT NULL,
  projects TEXT NOT NULL DEFAULT '[""]'
) STRICT, WITHOUT ROWID;
`
