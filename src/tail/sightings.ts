import type { SkipReason } from '../events.ts'
import type { FileFacts } from './file-system.ts'

/** What a walk through the directories sees, reports and asks. */

export interface Sighting {
  readonly path: string
  readonly facts: FileFacts
}

/** A directory that was listed and holds nothing but directories and, it may be, a known trace. */
export interface Listed {
  readonly directory: string
  /** Of the directory, before it was listed. */
  readonly facts: FileFacts
  /** Before the facts were read. Wall clock. */
  readonly seenMs: number
  /** Paths. */
  readonly subdirectories: readonly string[]
  readonly hasTrace: boolean
}

/** A directory in which no name has changed since it was listed. */
export interface Unchanged {
  readonly device: bigint
  readonly inode: bigint
  /** Those that have to be visited. */
  readonly subdirectories: ReadonlySet<string>
  /** Its trace, if that has to be looked at. */
  readonly trace: string | undefined
}

/** Names in one directory that are a watched name plus a suffix, as rotation leaves them. */
export interface Beside {
  readonly directory: string
  /** Of the directory, before it was listed: a change after that shows as a later one. */
  readonly modifiedNs: bigint
  readonly root: string
  readonly watchedName: string
  readonly names: readonly string[]
}

/** What a walk reports and asks. */
export interface WalkEvents {
  failed(path: string, operation: 'stat' | 'list', error: unknown): void
  /** Whether a directory or root is backing off after a failure. */
  isBackingOff(path: string): boolean
  /** The path could be looked at. */
  reachable(path: string): void
  /** A directory is about to be listed. */
  entered(directory: string, modifiedNs: bigint): void
  /** Called at each walk. */
  skipped(path: string, reason: SkipReason): void
  /** The directory if its names are known to be those of the last walk: it is neither looked at nor listed. */
  unchanged(directory: string): Unchanged | undefined
  /** Wall clock. */
  now(): number
}
