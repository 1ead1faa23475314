import { hash } from 'node:crypto'
import type { FileFacts } from './file-system.ts'

/**
 * One file that is being read. A file is not its path: it is device, inode and a marker of the bytes
 * before the position. Sizes and positions are bytes.
 *
 * At every commit `position = counted + rejected + skipped`, and `pending` bytes follow that have been
 * looked at but do not end in a newline yet.
 */
export interface TrackedFile {
  id: number | undefined
  path: string
  device: bigint
  inode: bigint
  birthNs: bigint
  /** Modification time when the file was last found read to its end; -1 forces a look. */
  modifiedNs: bigint
  /** Everything before is dealt with; starts a line, or lies within an over-long one. */
  position: number
  /** Complete lines before the position. */
  line: number
  /** Digest of the bytes before `position`. */
  marker: string
  /** Inside an over-long line. */
  skipping: boolean
  counted: number
  rejected: number
  skipped: number
  /** Found under another name than the watched one. */
  rotated: boolean
  /** Since when no path leads to it. */
  missingSinceMs: number | undefined

  // Not kept in the state:
  /** No newline stands between `position` and here. */
  scannedTo: number
  /** Digest of the bytes before `scannedTo`. */
  scanMarker: string
  size: number
  lastReadMs: number | undefined
  error: string | undefined
}

/** How many bytes before a position its marker covers. */
export const MARKER_BYTES = 1_024

/** Of at most `MARKER_BYTES` bytes; short, since there is one for every file ever read. */
export const digest = (bytes: Uint8Array): string =>
  bytes.length === 0 ? '' : hash('sha256', bytes, 'base64url').slice(0, 22)

export const pendingBytes = (file: TrackedFile): number => file.scannedTo - file.position

/** Bytes that stand in the file and have not been looked at. */
export const lagBytes = (file: TrackedFile): number => Math.max(0, file.size - file.scannedTo)

/** A file never seen before. */
export function newFile(path: string, facts: FileFacts): TrackedFile {
  return {
    id: undefined,
    path,
    device: facts.device,
    inode: facts.inode,
    birthNs: facts.birthNs,
    modifiedNs: -1n,
    position: 0,
    line: 0,
    marker: '',
    skipping: false,
    counted: 0,
    rejected: 0,
    skipped: 0,
    rotated: false,
    missingSinceMs: undefined,
    scannedTo: 0,
    scanMarker: '',
    size: facts.size,
    lastReadMs: undefined,
    error: undefined,
  }
}

/** Back to the start: other content stands here now. */
export function restart(file: TrackedFile): void {
  Object.assign(file, {
    position: 0,
    line: 0,
    marker: '',
    skipping: false,
    counted: 0,
    rejected: 0,
    skipped: 0,
    scannedTo: 0,
    scanMarker: '',
    modifiedNs: -1n,
  } satisfies Partial<TrackedFile>)
}

/** Whether the facts say that there may be something to read or to check. */
export const needsLook = (file: TrackedFile, facts: FileFacts): boolean =>
  facts.size !== file.scannedTo || facts.modifiedNs !== file.modifiedNs

/**
 * Whether an inode seen again is the file that it was, as far as birth times tell. A birth time equal to
 * the change time may be a stand-in, where nothing shows that the file system keeps birth times. A birth
 * before the last change that we know of is no other file's: the file system has only begun to tell it.
 */
export function sameBirth(file: TrackedFile, facts: FileFacts, birthTimesKept: boolean): boolean {
  if (facts.birthNs === 0n || facts.birthNs === file.birthNs) return true
  if (!birthTimesKept && facts.birthNs === facts.changedNs) return true
  return facts.birthNs <= file.modifiedNs
}
