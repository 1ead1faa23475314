import path from 'node:path'
import type { Database } from '../audits/database.ts'
import type { Report } from '../audits/schema.ts'
import { literal } from '../audits/sql.ts'
import { MANIFEST, parseManifest, type Manifest } from './dataset.ts'

/** One directory of rows that a report reads. */
export interface RowsDirectory {
  /** A local path or the address of an object. */
  readonly place: string
  readonly manifest: Manifest
}

const OBJECT = /^(?:s3|s3a|gcs|gs|r2|https?|hf):\/\//u

/**
 * Finds the directories of rows that match a pattern, which may be a single directory, or an address that DuckDB's
 * extension httpfs can read. Throws an error that names `--rows` if there is none.
 */
export async function findRows(database: Database, pattern: string): Promise<RowsDirectory[]> {
  if (OBJECT.test(pattern)) await loadHttpfs(database)
  const files = `${pattern.replace(/\/+$/u, '')}/${MANIFEST}`
  const found = await database
    .all<{ filename: string; content: string }>(
      `SELECT filename, content FROM read_text(${literal(files)}) ORDER BY filename`,
    )
    .catch((error: unknown) => {
      throw noRows(files, error)
    })
  if (found.length === 0) throw noRows(files)
  return found.map(({ filename, content }) => ({
    place: path.posix.dirname(filename).replace(/^([a-z0-9]+:\/)(?!\/)/u, '$1/'),
    manifest: parseManifest(content, filename),
  }))
}

const noRows = (files: string, cause?: unknown): Error =>
  new Error(
    `--rows: nothing can be read at ${files}. Give a directory that \`report PATHS --rows DIR\` has written, or a pattern of ` +
      `several, in quotes.${cause instanceof Error ? ` (${cause.message})` : ''}`,
    { cause },
  )

async function loadHttpfs(database: Database): Promise<void> {
  try {
    await database.run('LOAD httpfs')
  } catch (cause) {
    throw new Error(
      "--rows: object storage needs DuckDB's extension httpfs, which is not installed: run `INSTALL httpfs` in DuckDB " +
        'once, or copy the directory to this machine.',
      { cause },
    )
  }
}

/** Fills the tables of the report with all rows, in the order in which a report on all traces would read them. */
export async function loadRows(
  database: Database,
  directories: readonly RowsDirectory[],
  nowMs: number,
): Promise<void> {
  const listed = (kind: 'entries' | 'builds'): string =>
    directories
      .flatMap(({ place, manifest }) => manifest[kind].map((file) => literal(`${place}/${file}`)))
      .join(', ')
  const [entries, builds] = [listed('entries'), listed('builds')]
  if (entries !== '')
    await database.run(`
      INSERT INTO all_entries BY NAME SELECT (row_number() OVER () - 1)::INTEGER AS seq, * FROM (
        SELECT * EXCLUDE (ts, counted, file, line, day), epoch_ms(ts)::DOUBLE AS ts_ms
        FROM read_parquet([${entries}], hive_partitioning = false, union_by_name = true)
        ORDER BY counted, file, line
      )`)
  if (builds !== '')
    await database.run(`
      INSERT INTO all_builds BY NAME SELECT * EXCLUDE (last_entry), epoch_ms(last_entry)::DOUBLE AS last_entry_ms
      FROM read_parquet([${builds}], union_by_name = true)`)
  for (const { manifest } of directories)
    for (const { idle_since_ms: idleSinceMs, ...build } of manifest.open_builds)
      if (nowMs - idleSinceMs > manifest.build_timeout_ms) database.build(build)
  database.flush()
}

/** What a report says of its input: the sums over all directories. */
export function inputOf(directories: readonly RowsDirectory[]): Report['input'] {
  const inputs = directories.map(({ manifest }) => manifest.input)
  const sum = (key: keyof Report['input']): number => inputs.reduce((all, input) => all + input[key], 0)
  return {
    files: sum('files'),
    entries: sum('entries'),
    rejected_lines: sum('rejected_lines'),
    out_of_order: sum('out_of_order'),
    in_future: sum('in_future'),
    unfinished_lines: sum('unfinished_lines'),
    unfinished_bytes: sum('unfinished_bytes'),
    rotated_files: sum('rotated_files'),
  }
}
