import fs from 'node:fs'

/** What is left for files that are read: the rest is for the server, the state and the watchers. */
export interface OpenFilesBudget {
  readonly maxOpenFiles: number
  /** The process's limit if it leaves less than `ENOUGH`; else undefined. */
  readonly tightLimit: number | undefined
}

const ENOUGH = 256
const MOST = 1_000
const LEAST = 4
/** The runtime, SQLite, inotify, the listening socket and the log need some 30. */
const RESERVED = 40

/** Half of what a limit leaves: the other half is for clients. `undefined`: the limit is not known. */
export function openFilesBudget(limit: number | undefined): OpenFilesBudget {
  if (limit === undefined) return { maxOpenFiles: ENOUGH, tightLimit: undefined }
  const maxOpenFiles = Math.min(MOST, Math.max(LEAST, Math.floor((limit - RESERVED) / 2)))
  return { maxOpenFiles, tightLimit: maxOpenFiles < ENOUGH ? limit : undefined }
}

const LIMITS = '/proc/self/limits'

/** How many files this process may have open; `undefined` where the system does not say (outside Linux). */
export function openFilesLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+|unlimited)/mu.exec(fs.readFileSync(LIMITS, 'utf8')) ?? []
    return soft === undefined || soft === 'unlimited' ? undefined : Number(soft)
  } catch {
    return undefined
  }
}
