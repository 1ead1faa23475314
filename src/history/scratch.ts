import fs from 'node:fs'
import path from 'node:path'

/** Temporary files of one run. */
export interface Scratch {
  /** Where the temporary files are to be, as the user chose it. */
  readonly parent: string
  /** Returns the directory of this run; creates it when it is first needed. Throws an error that names `--temp`. */
  directory(): string
  /** Removes the directory. */
  remove(): void
}

/** Nothing is created before something is to be written, so a read-only file system is no obstacle for a small history. */
export function createScratch(parent: string): Scratch {
  let made: string | undefined
  return {
    parent,
    directory: () => (made ??= make(parent)),
    remove() {
      if (made !== undefined) fs.rmSync(made, { recursive: true, force: true })
      made = undefined
    },
  }
}

function make(parent: string): string {
  try {
    return fs.mkdtempSync(path.join(parent, 'audit-trace-exporter-'))
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error)
    throw new Error(
      `--temp: cannot create a directory in ${parent}, and this history is too large for memory alone: ${cause}. ` +
        'Choose a directory on a disk with --temp or AUDIT_TEMP.',
      { cause: error },
    )
  }
}

/** SQLite, DuckDB and the file system each say in their own words that there is no space left. */
const NO_SPACE =
  /ENOSPC|EDQUOT|no space left|database or disk is full|disk quota exceeded|max_temp_directory_size/iu

/** An error for want of disk space as one that says where and what to do; other errors as they are. */
export function explainSpace(error: unknown, parent: string): unknown {
  if (!NO_SPACE.test(String(error))) return error
  return new Error(
    `No space left for temporary files in ${parent}. Free some, or choose a directory on another disk with --temp or ` +
      `AUDIT_TEMP: about 400 bytes are needed for each entry. (${error instanceof Error ? error.message : String(error)})`,
    { cause: error },
  )
}
