import path from 'node:path'
import type { Database } from '../audits/database.ts'
import type { Report } from '../audits/schema.ts'
import { literal } from '../audits/sql.ts'
import { createSums } from '../audits/sums.ts'
import { MANIFEST, parseManifest } from './dataset.ts'
import { continueSums } from './kept-sums.ts'
import { parquetBuilds, parquetEntries, rawEntries, type RowsDirectory } from './parquet.ts'

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

export interface LoadOptions {
  /** Decides which open builds have timed out. */
  readonly nowMs: number
  /** Whether the sums are continued and kept in the directory. */
  readonly keeps: boolean
  /** In how many parts builds are summed up (`sumParts`). */
  readonly parts: number
}

/** Up to so many files are always read in place. */
const FEW_FILES = 1_000
/** Opening a file takes as long as copying about so many rows. */
const ROWS_PER_OPENING = 100

/**
 * Gives the report all rows, in the order in which a report on all traces would read them, and their sums. Files of a local
 * directory are read in place, as Parquet is as fast as a table.
 */
export async function loadRows(
  database: Database,
  directories: readonly RowsDirectory[],
  { nowMs, keeps, parts }: LoadOptions,
): Promise<void> {
  const raw = rawEntries(directories)
  if (raw !== undefined) {
    await database.run(`CREATE TYPE trace AS ENUM (SELECT DISTINCT file FROM (${raw}) ORDER BY file)`)
    await database.entriesFrom(parquetEntries(directories) as string, isToBeCopied(directories, parts))
  }
  await database.run(
    `CREATE VIEW closed_builds AS ${parquetBuilds(directories) ?? 'SELECT * FROM all_builds WHERE false'}`,
  )
  const [directory] = directories
  const isContinued =
    keeps && raw !== undefined && directory !== undefined && (await continueSums(database, directory, parts))
  if (!isContinued) await createSums(database, { closed: 'closed_builds', parts })
  for (const { manifest } of directories)
    for (const { idle_since_ms: idleSinceMs, ...build } of manifest.open_builds)
      if (nowMs - idleSinceMs > manifest.build_timeout_ms) database.build(build)
  database.flush()
}

/** Whether copying all rows once takes less than opening their files for each query: a few, and two for each part. */
function isToBeCopied(directories: readonly RowsDirectory[], parts: number): boolean {
  const files = directories.reduce((sum, { manifest }) => sum + manifest.entries.length, 0)
  const openings = files * (5 + 2 * parts)
  const { entries } = inputOf(directories)
  return (
    directories.some(({ place }) => OBJECT.test(place)) ||
    (files > FEW_FILES && openings * ROWS_PER_OPENING > entries)
  )
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
