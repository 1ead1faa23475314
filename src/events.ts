import type { EntryWarning, RejectReason } from './entry/parse.ts'
import type { UnpricedReason } from './entry/supplement.ts'

/** Position of a line. */
export interface LinePlace {
  readonly path: string
  /** Line number, from 1. */
  readonly line: number
  /** Offset of its first byte. */
  readonly offset: number
  /** In bytes, including its newline; for an over-long line without a newline, the bytes that have been read. */
  readonly length: number
}

export type FileOperation = 'open' | 'read' | 'stat' | 'list' | 'watch'

/**
 * Why a path is not read: a root that is neither a file nor a directory, or a link to a trace or directory outside of
 * the roots.
 */
export type SkipReason = 'not_a_file' | 'link_outside'

/** Receives every notable event once; the implementation logs and counts it. */
export interface Events {
  lineRejected(place: LinePlace, reason: RejectReason, field: string, cause: string): void
  entryWarned(place: LinePlace, warning: EntryWarning): void
  /** Entries with tokens have no cost although there are prices; reported once for each model (`''` for none) and reason. */
  modelUnpriced(model: string, reason: UnpricedReason): void
  rootWaiting(root: string): void
  rootFound(root: string): void
  /** A path below the roots that is not read; reported once. */
  pathSkipped(path: string, reason: SkipReason): void
  fileFound(path: string): void
  /** A file was created and rotated between two scans; it is read from its start. */
  rotationFound(path: string): void
  /** New compressed files next to a trace. They are not read. */
  compressedFound(paths: readonly string[]): void
  fileTruncated(path: string, position: number, size: number): void
  fileRotated(from: string, to: string): void
  fileGone(path: string, pendingBytes: number): void
  fileFailed(path: string, operation: FileOperation, error: unknown): void
  fileRecovered(path: string): void
  caughtUp(files: number, seconds: number): void
  commitFailed(error: Error): void
  commitRecovered(): void
}
