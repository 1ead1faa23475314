import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import type { Database } from '../audits/database.ts'
import { literal } from '../audits/sql.ts'
import { buildSums, createSums, entrySums, fixes, SUM_TABLES } from '../audits/sums.ts'
import { versionOf } from './program-version.ts'
import { parquetEntries, parquetBuilds, type RowsDirectory } from './parquet.ts'

/** A DuckDB database beside the rows, with what the last report has summed up of them. It can be deleted at any time. */
const FILE = 'sums.duckdb'

/** Where an entry stands is told by a number that changes with the files; so the file is kept as well. */
const FIRST_FILE = ', arg_min(file, seq) AS first_file'

/** How much of the lists of Parquet files the sums are of. */
interface Covered {
  readonly key: string
  readonly entries: number
  readonly builds: number
}

/**
 * Makes the tables of `createSums` from those that the last report has left in the directory: builds with new rows are
 * summed up again, the others stay. Needs `all_entries`, `closed_builds` and the type `trace`. Returns whether it could:
 * not while another process uses them, or where they cannot be written.
 */
export async function continueSums(
  database: Database,
  directory: RowsDirectory,
  parts: number,
): Promise<boolean> {
  if (!(await attach(database, directory))) return false
  const covered = await coveredBy(database, directory)
  if (covered === undefined) await sumAll(database, directory, parts)
  else await sumNew(database, directory, covered)
  for (const table of SUM_TABLES)
    await database.run(
      table === 'build_sums'
        ? `CREATE VIEW build_sums AS SELECT * EXCLUDE (first_file) REPLACE (first_seq - (first_seq & 18446744073709551615::HUGEINT)
             + (enum_code(first_file::trace)::HUGEINT << 32) + (first_seq & 4294967295::HUGEINT) AS first_seq)
             FROM kept.build_sums`
        : `CREATE VIEW ${table} AS SELECT * FROM kept.${table}`,
    )
  return true
}

/** Removes the sums, so that the next report sums up all rows again. Never throws. */
export function removeSums({ place }: RowsDirectory): void {
  const file = path.join(place, FILE)
  for (const each of [file, `${file}.wal`]) {
    try {
      fs.rmSync(each, { force: true })
    } catch {
      // The report does without them.
    }
  }
}

async function attach(database: Database, directory: RowsDirectory): Promise<boolean> {
  const file = path.join(directory.place, FILE)
  const open = (): Promise<void> => database.run(`ATTACH ${literal(file)} AS kept`)
  try {
    await open()
    return true
  } catch (error) {
    // Not the "block" of a file that is damaged.
    if (/\block|conflict|already/iu.test(String(error))) return false
  }
  // Damaged, or of another version of DuckDB.
  removeSums(directory)
  try {
    await open()
    return true
  } catch {
    return false
  }
}

/** How much is summed up; `undefined` if that is not a part of these rows. */
async function coveredBy(database: Database, directory: RowsDirectory): Promise<Covered | undefined> {
  try {
    const [covered] = await database.all<Covered>('SELECT * FROM kept.covered')
    return covered !== undefined && covered.key === keyOf(directory, covered) ? covered : undefined
  } catch {
    return undefined
  }
}

/** The program, and names, sizes and times of the files. */
function keyOf({ place, manifest }: RowsDirectory, { entries, builds }: Omit<Covered, 'key'>): string {
  const files = [...manifest.entries.slice(0, entries), ...manifest.builds.slice(0, builds)].map((file) => {
    const { size, mtimeMs } = fs.statSync(path.join(place, file))
    return [file, size, mtimeMs] as const
  })
  const decisive = [versionOf(), entries, builds, files]
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex')
}

async function sumAll(database: Database, directory: RowsDirectory, parts: number): Promise<void> {
  const tables = [...SUM_TABLES, 'covered']
  await database.run('BEGIN')
  for (const table of tables) await database.run(`DROP TABLE IF EXISTS kept.${table}`)
  await createSums(database, { closed: 'closed_builds', parts, prefix: 'kept.', more: FIRST_FILE })
  await database.run('CREATE TABLE kept.covered (key VARCHAR, entries INTEGER, builds INTEGER)')
  await database.run(cover(directory))
  await database.run('COMMIT')
  await database.run('CHECKPOINT kept')
}

async function sumNew(database: Database, directory: RowsDirectory, covered: Covered): Promise<void> {
  const { place, manifest } = directory
  const entries = manifest.entries.slice(covered.entries)
  const builds = manifest.builds.slice(covered.builds)
  if (entries.length + builds.length === 0) return
  const added = { place, manifest: { ...manifest, entries, builds } }
  const [parquet, newBuilds] = [parquetEntries([added]), parquetBuilds([added])]
  const newEntries = parquet && (await database.withAllColumns(parquet))
  const ids = [newEntries, newBuilds].flatMap((query) =>
    query === undefined ? [] : [`SELECT run_id FROM (${query})`],
  )
  await database.run(`CREATE TEMP TABLE touched AS SELECT DISTINCT run_id FROM (${ids.join(' UNION ALL ')})`)
  const since = await sinceOf(database, newEntries)
  await database.run(
    `CREATE TEMP TABLE touched_entries AS SELECT * FROM all_entries SEMI JOIN touched USING (run_id) WHERE ${since}`,
  )
  await database.run(
    `CREATE TEMP TABLE touched_sums AS ${buildSums('touched_entries', '(FROM closed_builds SEMI JOIN touched USING (run_id))', FIRST_FILE)}`,
  )
  await database.run(
    `CREATE TEMP TABLE touched_fixes AS ${fixes('touched_entries', '(SELECT rowid AS build, * FROM touched_sums)')}`,
  )
  const statements = [
    'BEGIN',
    'DELETE FROM kept.build_sums WHERE run_id IN (FROM touched)',
    'INSERT INTO kept.build_sums FROM touched_sums',
    'DELETE FROM kept.all_fixes WHERE run_id IN (FROM touched)',
    'INSERT INTO kept.all_fixes FROM touched_fixes',
    ...(newEntries === undefined ? [] : [`INSERT INTO kept.all_entry_sums ${entrySums(`(${newEntries})`)}`]),
    'DELETE FROM kept.covered',
    cover(directory),
    'COMMIT',
  ]
  for (const statement of statements) await database.run(statement)
}

/** A condition that spares most files: none of the builds that are summed up again has an entry before it. */
async function sinceOf(database: Database, newEntries: string | undefined): Promise<string> {
  const [first] = await database.all<{ ms: number | null }>(`
    SELECT min(ms) AS ms FROM (
      SELECT min(started_ms) AS ms FROM kept.build_sums SEMI JOIN touched USING (run_id)
      ${newEntries === undefined ? '' : `UNION ALL SELECT min(ts_ms) FROM (${newEntries})`}
    )`)
  return first?.ms === undefined || first.ms === null ? 'true' : `ts >= epoch_ms(${Math.floor(first.ms)})`
}

function cover(directory: RowsDirectory): string {
  const [entries, builds] = [directory.manifest.entries.length, directory.manifest.builds.length]
  return `INSERT INTO kept.covered VALUES (${literal(keyOf(directory, { entries, builds }))}, ${entries}, ${builds})`
}
