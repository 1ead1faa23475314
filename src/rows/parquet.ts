import { literal } from '../audits/sql.ts'
import type { Manifest } from './dataset.ts'

/** One directory of rows that a report reads. */
export interface RowsDirectory {
  /** A local path or the address of an object. */
  readonly place: string
  readonly manifest: Manifest
}

/** A query for the entries in these directories, as their files have them; `undefined` without files. */
export function rawEntries(directories: readonly RowsDirectory[]): string | undefined {
  const files = listed(directories, 'entries')
  return files && `SELECT * FROM read_parquet([${files}], hive_partitioning = false, union_by_name = true)`
}

/**
 * The same with the columns of `all_entries`. Needs the type `trace`. The position in the order of all entries is one
 * number: when the entry counts, the number of its file in order of their paths, and its line.
 */
export function parquetEntries(directories: readonly RowsDirectory[]): string | undefined {
  const rows = rawEntries(directories)
  return (
    rows &&
    `SELECT * EXCLUDE (counted, line, day), epoch_ms(ts)::DOUBLE AS ts_ms,
       epoch_ms(counted)::HUGEINT * 18446744073709551616 + (enum_code(file::trace)::HUGEINT << 32) + line AS seq FROM (${rows})`
  )
}

/** A query for the closed builds in these directories; `undefined` without files. */
export function parquetBuilds(directories: readonly RowsDirectory[]): string | undefined {
  const files = listed(directories, 'builds')
  return (
    files &&
    `SELECT * EXCLUDE (last_entry), epoch_ms(last_entry)::DOUBLE AS last_entry_ms
     FROM read_parquet([${files}], union_by_name = true)`
  )
}

const listed = (directories: readonly RowsDirectory[], kind: 'entries' | 'builds'): string | undefined =>
  directories
    .flatMap(({ place, manifest }) => manifest[kind].map((file) => literal(`${place}/${file}`)))
    .join(', ') || undefined
