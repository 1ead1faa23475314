import path from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { makeDirectorySync } from '../make-directory.ts'
import { databaseShare, databaseThreads } from './memory.ts'
import { literal } from './sql.ts'
import type { BuildRow, EntryRow, RowSink } from './rows.ts'
import { createTable } from './table.ts'

type DuckDb = typeof import('@duckdb/node-api')

export interface Database extends RowSink {
  /** Makes all added rows visible to queries. */
  flush(): void
  /** Limits the memory of DuckDB, which has little until this is first called, as long as rows are added. */
  limitMemory(bytes: number): Promise<void>
  /** Runs a query. INTEGER and DOUBLE columns come as `number`. */
  all<T extends object>(sql: string): Promise<T[]>
  run(sql: string): Promise<void>
  /** The query with every column of entries; those that it lacks are null. */
  withAllColumns(query: string): Promise<string>
  /**
   * Takes the entries from a query instead of rows that are added. It is read again at each use, or once into a table if
   * `copies`.
   */
  entriesFrom(query: string, copies: boolean): Promise<void>
  /** Writes all attributed rows as one Parquet file (zstd). Needs the table `build_sums`. */
  exportParquet(file: string): Promise<void>
  /**
   * Writes the rows as Parquet below a directory: `entries`, partitioned by day and project (by day alone where a project's
   * name is too long for a directory), and `builds`. Needs spots.
   * `name` begins the names of the files.
   */
  exportParts(directory: string, name: string): Promise<void>
  close(): void
}

/** DuckDB is an optional peer: its binary is large and not available for every platform. */
class MissingDuckDb extends Error {
  override readonly name = 'MissingDuckDb'
}

const TEXT = 'VARCHAR'
const NUMBER = 'DOUBLE'
const WHOLE = 'INTEGER'

/** Where an entry stands and when it counts: in the rows that later runs go on from. */
const SPOT_COLUMNS = { counted_ms: NUMBER, file: TEXT, line: WHOLE } as const

const ENTRY_COLUMNS = {
  seq: WHOLE,
  run_id: TEXT,
  ts_ms: NUMBER,
  step: TEXT,
  phase: TEXT,
  status: TEXT,
  error_type: TEXT,
  context_file_hash: TEXT,
  prompt_tokens: NUMBER,
  cached_tokens: NUMBER,
  completion_tokens: NUMBER,
  total_tokens: NUMBER,
  context_tokens: NUMBER,
  instruction_tokens: NUMBER,
  other_tokens: NUMBER,
  instruction_version: TEXT,
  instruction_assignment: TEXT,
  project: TEXT,
  model: TEXT,
  error_log_chars: NUMBER,
  rework_cost_factor: NUMBER,
  files_touched: NUMBER,
  duration_seconds: NUMBER,
  cost_usd: NUMBER,
} as const satisfies Record<keyof EntryRow, string>

const EXPORTED = Object.keys(ENTRY_COLUMNS)
  .filter((column) => !['seq', 'run_id', 'ts_ms', 'context_file_hash'].includes(column))
  .map((column) => `e.${column}`)

const BUILD_COLUMNS = {
  run_id: TEXT,
  outcome: TEXT,
  last_entry_ms: NUMBER,
  context_file_hash: TEXT,
  project: TEXT,
  duration_seconds: NUMBER,
  rework_steps: NUMBER,
} as const satisfies Record<keyof BuildRow, string>

interface DatabaseOptions {
  /** Memory for the whole process, in bytes; DuckDB gets a share of it. */
  readonly memoryBytes: number
  /** Directory for the tables and for what queries cannot hold in memory; absent: all stays in memory. */
  readonly directory?: string | undefined
  /** Whether the entries are only read in place: tables are then much smaller than they are, and are not compressed. */
  readonly isInPlace?: boolean
  /** Whether the rows say where each entry stands and when it counts. */
  readonly withSpots?: boolean
}

/** Opens an empty database with the tables `all_entries` and `all_builds`. */
export type OpenDatabase = (options: DatabaseOptions) => Promise<Database>

/** Loads DuckDB. Throws `MissingDuckDb`. */
export async function loadDatabase(
  load: () => Promise<DuckDb> = () => import('@duckdb/node-api'),
): Promise<OpenDatabase> {
  const duckDb = await loadDuckDb(load)
  return (options) => openDatabase(duckDb, options)
}

async function openDatabase(duckDb: DuckDb, options: DatabaseOptions): Promise<Database> {
  const { directory } = options
  const file =
    directory === undefined || options.isInPlace === true ? ':memory:' : path.join(directory, 'rows.duckdb')
  const instance = await duckDb.DuckDBInstance.create(file, settingsOf(options))
  const connection = await instance.connect()
  await connection.run('PRAGMA disable_checkpoint_on_shutdown')
  const columns = options.withSpots === true ? { ...ENTRY_COLUMNS, ...SPOT_COLUMNS } : ENTRY_COLUMNS
  const entries = await createTable(duckDb, connection, 'all_entries', columns)
  const builds = await createTable(duckDb, connection, 'all_builds', BUILD_COLUMNS)
  const withAllColumns = async (query: string): Promise<string> => {
    const reader = await connection.runAndReadAll(`DESCRIBE ${query}`)
    const known = new Set(reader.getRowObjectsJS().map((row) => row['column_name']))
    const missing = Object.entries(ENTRY_COLUMNS).filter(([column]) => !known.has(column))
    return `SELECT *${missing.map(([column, type]) => `, NULL::${type} AS ${column}`).join('')} FROM (${query})`
  }
  return {
    entry: (row, { timeMs, place }) =>
      entries.add(
        options.withSpots === true ? { ...row, counted_ms: timeMs, file: place.path, line: place.line } : row,
      ),
    build: (row) => builds.add(row),
    flush() {
      entries.flush()
      builds.flush()
    },
    async limitMemory(bytes) {
      await connection.run(`SET memory_limit = '${bytes}B'`)
    },
    async all<T extends object>(sql: string) {
      const reader = await connection.runAndReadAll(sql)
      return reader.getRowObjectsJS() as T[]
    },
    run: async (sql) => void (await connection.run(sql)),
    async exportParquet(file) {
      await connection.run(`
        COPY (
          SELECT run_id, epoch_ms(ts_ms::BIGINT) AS ts, ${EXPORTED.join(', ')}, e.context_file_hash, coalesce(s.outcome, b.outcome) AS build_outcome
          FROM all_entries e JOIN build_sums s USING (run_id) LEFT JOIN all_builds b USING (run_id) ORDER BY seq
        ) TO ${literal(file)} (FORMAT parquet, COMPRESSION zstd)`)
    },
    withAllColumns,
    async entriesFrom(query, copies) {
      entries.close()
      const complete = await withAllColumns(query)
      await connection.run('DROP TABLE all_entries')
      await connection.run(`CREATE ${copies ? 'TABLE' : 'VIEW'} all_entries AS ${complete}`)
    },
    exportParts: (directory, name) => exportParts(connection, directory, name),
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** Bytes of a project's name as DuckDB encodes it in `project=…`. */
const MAX_ENCODED_PROJECT = 240

async function exportParts(connection: DuckDBConnection, directory: string, name: string): Promise<void> {
  for (const folder of ['entries', 'builds']) makeDirectorySync(path.join(directory, folder))
  const isEmpty = async (table: string): Promise<boolean> =>
    (await connection.runAndReadAll(`SELECT 1 FROM ${table} LIMIT 1`)).currentRowCount === 0
  // Names of directories have at most 255 bytes; a project's name is in the file, too.
  const isTooLong = !(await isEmpty(
    `(SELECT 1 FROM all_entries WHERE strlen(url_encode(project)) > ${MAX_ENCODED_PROJECT})`,
  ))
  if (!(await isEmpty('all_entries')))
    await connection.run(`
      COPY (
        SELECT run_id, epoch_ms(ts_ms::BIGINT) AS ts, * EXCLUDE (seq, run_id, ts_ms, counted_ms),
          epoch_ms(counted_ms::BIGINT) AS counted, strftime(epoch_ms(ts_ms::BIGINT), '%Y-%m-%d') AS day
        FROM all_entries
      ) TO ${literal(path.join(directory, 'entries'))} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (${isTooLong ? 'day' : 'day, project'}),
        WRITE_PARTITION_COLUMNS true, FILENAME_PATTERN ${literal(`${name}-{i}`)})`)
  if (!(await isEmpty('all_builds')))
    await connection.run(`
      COPY (
        SELECT run_id, outcome, epoch_ms(last_entry_ms::BIGINT) AS last_entry, * EXCLUDE (run_id, outcome, last_entry_ms)
        FROM all_builds
      ) TO ${literal(path.join(directory, 'builds', `${name}.parquet`))} (FORMAT parquet, COMPRESSION zstd)`)
}

/** Rows that are added are compressed and written in small parts; what DuckDB keeps of them beyond these is of no use. */
const FILLING_BYTES = 160 * 1024 * 1024

/** DuckDB's own limit would be 80 % of the machine's memory, and its own place for temporary files the current directory. */
const settingsOf = ({ memoryBytes, directory }: DatabaseOptions): Record<string, string> => ({
  memory_limit: `${Math.min(databaseShare(memoryBytes), directory === undefined ? Infinity : FILLING_BYTES)}B`,
  threads: String(databaseThreads(memoryBytes)),
  temp_directory: directory === undefined ? '' : path.join(directory, 'duckdb'),
})

async function loadDuckDb(load: () => Promise<DuckDb>): Promise<DuckDb> {
  try {
    return await load()
  } catch (error) {
    if (!isAbsence(error)) throw new Error(`cannot load @duckdb/node-api: ${String(error)}`, { cause: error })
    throw new MissingDuckDb(
      'report and --rows need DuckDB, which is not installed or has no binary for this platform: run `npm install @duckdb/node-api`, ' +
        'or build the container image with `--target report`.',
      { cause: error },
    )
  }
}

/** True if DuckDB is not installed or has no binary for this platform. */
const isAbsence = (error: unknown): boolean =>
  /MODULE_NOT_FOUND/u.test(String((error as { code?: unknown }).code)) ||
  /Cannot find (?:package|module)|unsupported (?:arch|platform)/iu.test(String(error))
