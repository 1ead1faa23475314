import type { DatabaseSync } from 'node:sqlite'
import { runHash } from '../run-hash.ts'

/** Version 9 to 10: builds are numbered, and found by the hash of their run id (decisions/197). */
export function buildsByNumber(database: DatabaseSync): void {
  database.function('run_hash', { deterministic: true }, (runId) => runHash(String(runId)))
  database.exec(`
    DROP INDEX open_builds;
    ALTER TABLE builds RENAME TO builds_9;
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
    INSERT INTO builds (run_hash, ${COLUMNS}) SELECT run_hash(run_id), ${COLUMNS} FROM builds_9;
    DROP TABLE builds_9;
    CREATE INDEX builds_by_run ON builds (run_hash);
    CREATE INDEX open_builds ON builds (number) WHERE outcome IS NULL;
  `)
}

const COLUMNS = `run_id, outcome, context, late_context, failing_error_type, failing_log_chars, last_entry_ms, failed,
  passed_step, rework_steps, tokens, started_ms, idle_since_ms, instructions, project`
