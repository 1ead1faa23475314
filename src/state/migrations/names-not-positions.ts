import type { DatabaseSync } from 'node:sqlite'

/**
 * Version 1 to 2: rows held values by position (labels of a series, buckets of a histogram, fields of a build, the
 * outcome as an index); they hold them by name from now on. Everything here describes version 1 as it was released
 * and never changes, whatever becomes of the catalogue or of the outcomes.
 */
export function namesNotPositions(database: DatabaseSync, nowMs: number): void {
  migrateSeries(database)
  migrateBuilds(database, nowMs)
  capLastEntry(database, nowMs)
  database.exec(NEW_TABLES)
}

const NEW_TABLES = `
CREATE TABLE IF NOT EXISTS looks (root TEXT PRIMARY KEY, began_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS file_heads (file_id INTEGER PRIMARY KEY, head TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS past_heads (number INTEGER PRIMARY KEY, head TEXT NOT NULL) STRICT;
`

type Row = Record<string, unknown>

function migrateSeries(database: DatabaseSync): void {
  database.exec(
    'CREATE TABLE histograms (metric TEXT PRIMARY KEY, bounds TEXT NOT NULL) STRICT, WITHOUT ROWID',
  )
  const insertBounds = database.prepare('INSERT INTO histograms (metric, bounds) VALUES (?, ?)')
  for (const [metric, { bounds }] of Object.entries(METRICS)) {
    if (bounds !== undefined) insertBounds.run(metric, JSON.stringify(bounds))
  }
  const update = database.prepare(
    'UPDATE series SET labels = ?, data = ?, base = ? WHERE metric = ? AND labels = ?',
  )
  for (const row of database.prepare('SELECT metric, labels, data, base FROM series').all()) {
    const metric = String(row['metric'])
    const known = METRICS[metric]
    if (known === undefined) throw new Error(`version 1 had no metric ${metric}`)
    const base = row['base'] === null ? null : namedData(metric, known, String(row['base']))
    const labels = String(row['labels'])
    update.run(
      namedLabels(metric, known, labels),
      namedData(metric, known, String(row['data'])),
      base,
      metric,
      labels,
    )
  }
}

function namedLabels(metric: string, { labels }: Metric, text: string): string {
  const values = JSON.parse(text) as string[]
  if (values.length !== labels.length)
    throw new Error(`series of ${metric} has ${values.length} labels: ${text}`)
  const pairs = labels.map((label, i) => [label, values[i] as string] as const)
  return JSON.stringify(Object.fromEntries(pairs.filter(([, value]) => value !== '').sort(byFirst)))
}

const byFirst = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : 1)

function namedData(metric: string, { bounds }: Metric, text: string): string {
  const numbers = JSON.parse(text) as number[]
  const size = bounds === undefined ? 1 : bounds.length + 2
  if (numbers.length !== size) throw new Error(`series of ${metric} has ${numbers.length} numbers: ${text}`)
  const [first, ...counts] = numbers
  if (bounds === undefined) return JSON.stringify(first)
  const buckets = counts.map((count, i) => [String(bounds[i] ?? '+Inf'), count] as const)
  return JSON.stringify({
    sum: first,
    buckets: Object.fromEntries(buckets.filter(([, count]) => count !== 0)),
  })
}

/** Version 1 kept a time in the future, which would hide every later silence. */
function capLastEntry(database: DatabaseSync, nowMs: number): void {
  database
    .prepare("UPDATE meta SET value = ? WHERE key = 'last_entry_ms' AND CAST(value AS REAL) > ?")
    .run(String(nowMs), nowMs)
}

function migrateBuilds(database: DatabaseSync, nowMs: number): void {
  database.exec(`
    DROP INDEX open_builds;
    ALTER TABLE builds RENAME TO builds_1;
    CREATE TABLE builds (
      run_id TEXT PRIMARY KEY,
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
      instructions TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX open_builds ON builds (run_id) WHERE outcome IS NULL;
  `)
  const insert = database.prepare(
    `INSERT INTO builds (run_id, outcome, context, late_context, failing_error_type, failing_log_chars, last_entry_ms,
       failed, passed_step, rework_steps, tokens, started_ms, idle_since_ms, instructions)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  for (const row of database.prepare('SELECT run_id, is_open, state FROM builds_1').all()) {
    insert.run(...(row['is_open'] === 1 ? openBuild(row, nowMs) : closedBuild(row)))
  }
  database.exec('DROP TABLE builds_1')
}

const OUTCOMES = ['first_pass', 'after_rework', 'failed', 'abandoned']

type Value = string | number | null

/** `[context, failing error type, failing log size, last entry, failed, rework steps, tokens, started, last read, instructions]` */
function openBuild(row: Row, nowMs: number): Value[] {
  const fields = fieldsOf(row, 10, 10)
  const [context, errorType, logChars, lastEntryMs, failed, reworkSteps, tokens, startedMs, lastReadMs] =
    fields as Value[]
  // A time in the future does not count: it would keep the build open.
  const idleSinceMs = Number(lastReadMs) > 0 ? lastReadMs! : Math.min(Number(lastEntryMs), nowMs)
  // In version 1 a pass on any step closed the build: an open one has none.
  return [
    String(row['run_id']), null, context!, null, errorType!, logChars!, lastEntryMs!,
    failed!, 0, reworkSteps!, tokens!, startedMs!, idleSinceMs, JSON.stringify(fields[9]),
  ] // prettier-ignore
}

/** `[closing context, failing error type, failing log size, last entry, index of the outcome, context if it is another]` */
function closedBuild(row: Row): Value[] {
  const fields = fieldsOf(row, 5, 6) as Value[]
  const [closing, errorType, logChars, lastEntryMs, index] = fields
  const outcome = OUTCOMES[Number(index)]
  if (outcome === undefined) throw new Error(`build ${String(row['run_id'])} has outcome ${String(index)}`)
  return [
    String(row['run_id']), outcome, closing!, fields[5] ?? null, errorType!, logChars!, lastEntryMs!,
    null, null, null, null, null, null, null,
  ] // prettier-ignore
}

function fieldsOf(row: Row, least: number, most: number): unknown[] {
  const fields: unknown = JSON.parse(String(row['state']))
  if (Array.isArray(fields) && fields.length >= least && fields.length <= most) return fields
  throw new Error(`build ${String(row['run_id'])} has a row of another form: ${String(row['state'])}`)
}

interface Metric {
  readonly labels: readonly string[]
  /** Upper bounds of the buckets of a histogram. */
  readonly bounds?: readonly number[]
}

const METRICS: Readonly<Record<string, Metric>> = {
  'audit.entries': { labels: ['step', 'phase', 'status', 'error_type', 'context_hash'] },
  'audit.tokens': { labels: ['step', 'phase', 'error_type', 'context_hash', 'type'] },
  'audit.prompt_tokens': { labels: ['phase', 'context_hash', 'part'] },
  'audit.rework_completion_tokens': { labels: ['error_type', 'context_hash'] },
  'audit.rework_error_log_chars': { labels: ['error_type', 'context_hash'] },
  'audit.builds': { labels: ['outcome', 'context_hash'] },
  'audit.build_tokens': { labels: ['outcome', 'context_hash'] },
  'audit.instruction_builds': { labels: ['instruction_version', 'phase', 'outcome'] },
  'audit.instruction_tokens': { labels: ['instruction_version', 'phase', 'type'] },
  'audit.instruction_rework_completion_tokens': { labels: ['instruction_version'] },
  'audit.instruction_rework_error_log_chars': { labels: ['instruction_version'] },
  'audit.cost_usd': { labels: ['phase', 'model'] },
  'audit.step_token_cost': {
    labels: ['step', 'phase'],
    bounds: [100, 250, 500, 1000, 2500, 5000, 7500, 10000, 15000, 25000, 50000, 100000, 250000, 1000000],
  },
  'audit.rework_cost_factor': {
    labels: ['error_type'],
    bounds: [0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 25, 100],
  },
  'audit.error_log_chars': {
    labels: ['error_type'],
    bounds: [100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 1000000],
  },
  'audit.files_touched': { labels: ['phase'], bounds: [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 100] },
  'audit.step_duration_seconds': {
    labels: ['phase'],
    bounds: [1, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600],
  },
  'audit.build_token_cost': {
    labels: ['outcome'],
    bounds: [100, 250, 500, 1000, 2500, 5000, 7500, 10000, 15000, 25000, 50000, 100000, 250000, 1000000],
  },
  'audit.build_duration_seconds': {
    labels: ['outcome'],
    bounds: [30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14400],
  },
  'audit.build_rework_steps': { labels: ['outcome'], bounds: [0, 1, 2, 3, 4, 5, 7, 10, 20] },
  'audit_exporter.read_bytes': { labels: ['result'] },
  'audit_exporter.rejected_lines': { labels: ['reason'] },
  'audit_exporter.entry_warnings': { labels: ['reason'] },
  'audit_exporter.truncations': { labels: [] },
  'audit_exporter.rotations': { labels: [] },
  'audit_exporter.label_overflow': { labels: ['label'] },
}
