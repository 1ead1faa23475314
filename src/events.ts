import type { EntryWarning, RejectReason } from './entry/parse.ts'

/** Where a line stands. */
export interface LinePlace {
  readonly path: string
  /** From 1. */
  readonly line: number
  /** Byte at which the line begins. */
  readonly offset: number
  /** In bytes, its newline included; of an over-long line that has no end yet, what has been read of it. */
  readonly length: number
}

export type FileOperation = 'open' | 'read' | 'stat' | 'list' | 'watch'

/** Every notable fact, told once; logging and counting happen behind it. */
export interface Events {
  lineRejected(place: LinePlace, reason: RejectReason, field: string, cause: string): void
  entryWarned(place: LinePlace, warning: EntryWarning): void
  rootWaiting(root: string): void
  rootFound(root: string): void
  fileFound(path: string): void
  /** A file was created and rotated away before anybody looked; it is read from its start. */
  rotationFound(path: string): void
  /** Compressed files beside a trace, new since the last look. They are not read. */
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
