import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { OUTCOMES } from '../attribute/build.ts'
import { makeDirectorySync } from '../make-directory.ts'
import { writeDurably } from './write-durably.ts'

/**
 * A directory of attributed rows. Files are written once and never changed:
 *
 * | path | content |
 * | --- | --- |
 * | `manifest.json` | which files count; replaced by a rename |
 * | `entries/day=…/project=…/run-N-….parquet` | one row for each entry |
 * | `builds/run-N.parquet` | one row for each closed build |
 * | `state/state.sqlite` | positions in the traces, and the builds, from which the next run goes on |
 */

const whole = z.int().min(0)

/** What a report says of its input, summed over all runs. */
const inputSchema = z.strictObject({
  files: whole,
  entries: whole,
  rejected_lines: whole,
  out_of_order: whole,
  in_future: whole,
  unfinished_lines: whole,
  unfinished_bytes: whole,
  rotated_files: whole,
})

/** A build without a verdict, as its row would be if it had timed out. */
const openBuildSchema = z.strictObject({
  run_id: z.string(),
  outcome: z.enum(OUTCOMES),
  last_entry_ms: z.number(),
  context_file_hash: z.string().nullable(),
  project: z.string().nullable(),
  duration_seconds: z.number(),
  rework_steps: whole,
  /** It closes when it has been idle for longer than the build timeout. */
  idle_since_ms: z.number(),
})

const manifestSchema = z.strictObject({
  format: z.literal(1),
  /** Number of runs that wrote rows. */
  run: whole,
  build_timeout_ms: z.number(),
  input: inputSchema,
  /** Parquet files that count, relative to the directory. Others are left from a run that was killed. */
  entries: z.array(z.string()),
  builds: z.array(z.string()),
  open_builds: z.array(openBuildSchema),
})

export type Manifest = z.infer<typeof manifestSchema>

export const NO_ROWS: Manifest = {
  format: 1,
  run: 0,
  build_timeout_ms: 0,
  input: {
    files: 0,
    entries: 0,
    rejected_lines: 0,
    out_of_order: 0,
    in_future: 0,
    unfinished_lines: 0,
    unfinished_bytes: 0,
    rotated_files: 0,
  },
  entries: [],
  builds: [],
  open_builds: [],
}

export const MANIFEST = 'manifest.json'
const FOLDERS = ['entries', 'builds'] as const
const STAGING = '_staging'

/** Throws an error that names the place if the text is no manifest, or one of a newer version. */
export function parseManifest(text: string, place: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error(`--rows: ${place} is damaged: it is not JSON`)
  }
  const { success, data, error } = manifestSchema.safeParse(value)
  if (success) return data
  const isNewer = Number((value as { format?: unknown } | null)?.format) > 1
  const why = isNewer
    ? 'was written by a newer version of this program'
    : `is damaged: ${z.prettifyError(error)}`
  throw new Error(`--rows: ${place} ${why}`)
}

/** Makes the manifest what readers see; on return it is on disk. */
export const publish = (directory: string, manifest: Manifest): void =>
  writeDurably(path.join(directory, MANIFEST), `${JSON.stringify(manifest)}\n`)

export const stagingOf = (directory: string): string => path.join(directory, STAGING)

/** Removes what does not count: files of a run that was killed. */
export function removeLeftovers(
  directory: string,
  { entries, builds }: Pick<Manifest, 'entries' | 'builds'>,
): void {
  fs.rmSync(stagingOf(directory), { recursive: true, force: true })
  const counts = new Set([...entries, ...builds])
  for (const folder of FOLDERS)
    for (const file of filesBelow(path.join(directory, folder)))
      if (!counts.has(path.relative(directory, file))) fs.rmSync(file)
}

/**
 * Moves the staged Parquet files to their places; on return they are on disk. Returns their paths, relative to the
 * directory.
 */
export function placeStaged(directory: string): Pick<Manifest, 'entries' | 'builds'> {
  const staging = stagingOf(directory)
  const place = (folder: (typeof FOLDERS)[number]): string[] =>
    filesBelow(path.join(staging, folder)).map((file) => {
      const relative = path.relative(staging, file)
      const target = path.join(directory, relative)
      makeDirectorySync(path.dirname(target))
      syncPath(file)
      fs.renameSync(file, target)
      return relative
    })
  const placed = { entries: place('entries'), builds: place('builds') }
  for (const folder of new Set([...placed.entries, ...placed.builds].flatMap(parentsOf)))
    syncPath(path.join(directory, folder))
  fs.rmSync(staging, { recursive: true, force: true })
  return placed
}

/** The directories that lead to a relative path, `.` included. */
function parentsOf(relative: string): string[] {
  const parents: string[] = []
  for (let at = path.dirname(relative); at !== '.'; at = path.dirname(at)) parents.push(at)
  return [...parents, '.']
}

function filesBelow(directory: string): string[] {
  if (!fs.existsSync(directory)) return []
  return fs
    .readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted()
}

function syncPath(at: string): void {
  const handle = fs.openSync(at, 'r')
  try {
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
}
