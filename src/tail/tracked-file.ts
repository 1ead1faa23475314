import { digest } from './digest.ts'
import type { FileFacts } from './file-system.ts'

/**
 * What the state keeps of one file. A file is not its path: it is device, inode and a marker of the bytes before
 * the position. Sizes and positions are bytes.
 *
 * At every commit `position = counted + rejected + skipped`, and `pending` bytes follow that have been
 * scanned but do not end in a newline yet.
 */
export interface FileRecord {
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
  /** Since when it has no path. */
  missingSinceMs: number | undefined
  /** How the content begins. A copy begins the same. */
  head: Head
}

/** How a content begins. It stays the same while the content grows, once the prefix is `MARKER_BYTES` long. */
export interface Head {
  /** Digest of the first line, `''` while that is not known. */
  readonly firstLine: string
  /** How many bytes from the start `prefix` covers; at most `MARKER_BYTES`. */
  readonly prefixBytes: number
  readonly prefix: string
}

export const NO_HEAD: Head = { firstLine: '', prefixBytes: 0, prefix: '' }

export type ReadResult = 'counted' | 'rejected' | 'skipped'

/** Hears of a file's changes. */
interface FileOwner {
  changed(file: TrackedFile): void
  /** Other content stands in the file now. */
  contentGone(head: Head): void
}

const nobody: FileOwner = { changed: () => undefined, contentGone: () => undefined }

/**
 * One file that is being read. Only the methods change it, and each of them reports the change, so that the next
 * commit writes it. A class, since there may be 100,000: methods on a prototype cost nothing for each.
 */
class FileState implements FileRecord {
  id
  path
  device
  inode
  birthNs
  modifiedNs
  position
  line
  marker
  skipping
  counted
  rejected
  skipped
  rotated
  missingSinceMs
  // How the content begins; an object for it would cost each file 32 bytes more.
  firstLine
  prefixBytes
  prefix

  // Not kept in the state:
  /** No newline stands between `position` and here. */
  scannedTo: number
  /** Digest of the bytes before `scannedTo`. */
  scanMarker: string
  /** Nothing was to be done for it when its directory, which is settled, was last looked at. */
  rests = false
  /** So many bytes from `position` on are NUL, and they are all that was scanned of the line. */
  nuls = 0
  size: number
  lastReadMs: number | undefined
  error: string | undefined
  readonly #owner: FileOwner

  constructor(record: FileRecord, size: number, owner: FileOwner) {
    this.id = record.id
    this.path = record.path
    this.device = record.device
    this.inode = record.inode
    this.birthNs = record.birthNs
    this.modifiedNs = record.modifiedNs
    this.position = record.position
    this.line = record.line
    this.marker = record.marker
    this.skipping = record.skipping
    this.counted = record.counted
    this.rejected = record.rejected
    this.skipped = record.skipped
    this.rotated = record.rotated
    this.missingSinceMs = record.missingSinceMs
    this.firstLine = record.head.firstLine
    this.prefixBytes = record.head.prefixBytes
    this.prefix = record.head.prefix
    this.scannedTo = record.position
    this.scanMarker = record.marker
    this.size = size
    this.#owner = owner
  }

  get head(): Head {
    return { firstLine: this.firstLine, prefixBytes: this.prefixBytes, prefix: this.prefix }
  }

  /** Moves the position past bytes that have been dealt with. */
  take(result: ReadResult, bytes: number): void {
    this[result] += bytes
    this.position += bytes
    this.#owner.changed(this)
  }

  /** Counts a line; returns its number, from 1. */
  endLine(): number {
    this.#owner.changed(this)
    return ++this.line
  }

  /** The position lies within an over-long line from now on, or no longer. */
  setSkipping(skipping: boolean): void {
    this.skipping = skipping
    this.#owner.changed(this)
  }

  /** All that was scanned is taken; `marker` is the digest of the bytes before the position. */
  settle(marker: string): void {
    this.marker = marker
    this.rescanLine()
  }

  /** No newline stands before this offset; `marker` is the digest of the bytes before it. */
  scanned(to: number, marker: string): void {
    this.scannedTo = to
    this.scanMarker = marker
    this.#owner.changed(this)
  }

  /** What was scanned of the unfinished line is to be read again. */
  rescanLine(): void {
    this.nuls = 0
    this.scannedTo = this.position
    this.scanMarker = this.marker
    this.#owner.changed(this)
  }

  /** All that was scanned of the line is NUL. */
  noteNuls(bytes: number): void {
    this.nuls = bytes
  }

  noteFirstLine(firstLine: string): void {
    this.firstLine = firstLine
    this.#owner.changed(this)
  }

  /** `bytes` are the first ones of the content, at most `MARKER_BYTES`. */
  notePrefix(bytes: Uint8Array): void {
    this.prefixBytes = bytes.length
    this.prefix = digest(bytes)
    this.#owner.changed(this)
  }

  /** The next look must read, whatever the modification time says. */
  distrustTimes(): void {
    this.modifiedNs = -1n
  }

  /** A slice was read. `end` is where it ended: the file may have grown past the size in the facts. */
  noteRead(facts: FileFacts, end: number, nowMs: number): void {
    this.birthNs = facts.birthNs
    this.size = Math.max(facts.size, end)
    this.lastReadMs = nowMs
  }

  /** The file was read to its end, as it stood at this modification time. */
  noteEnd(modifiedNs: bigint): void {
    if (this.modifiedNs === modifiedNs) return
    this.modifiedNs = modifiedNs
    this.#owner.changed(this)
  }

  noteRest(rests: boolean): void {
    this.rests = rests
  }

  noteSize(size: number): void {
    this.size = size
  }

  noteError(error: string | undefined): void {
    this.error = error
  }

  noteBirth(birthNs: bigint): void {
    if (this.birthNs === birthNs) return
    this.birthNs = birthNs
    this.#owner.changed(this)
  }

  /** It has no path since then. */
  noteMissing(sinceMs: number): void {
    this.missingSinceMs = sinceMs
    this.#owner.changed(this)
  }

  noteFound(): void {
    if (this.missingSinceMs === undefined) return
    this.missingSinceMs = undefined
    this.#owner.changed(this)
  }

  /** Called by the registry alone, which finds files by their path. */
  move(path: string, rotated: boolean): void {
    this.path = path
    this.rotated = rotated
    this.#owner.changed(this)
  }

  /** Called by the registry alone, which finds files by device and inode. */
  changeIdentity(facts: FileFacts): void {
    this.device = facts.device
    this.inode = facts.inode
    this.birthNs = facts.birthNs
    this.#owner.changed(this)
  }

  /** Called by the registry alone, when it first writes the file. */
  giveId(id: number): void {
    this.id = id
  }

  /** Back to the start: other content stands here now. */
  restart(birthNs: bigint): void {
    this.#owner.contentGone(this.head)
    this.birthNs = birthNs
    this.modifiedNs = -1n
    this.position = 0
    this.line = 0
    this.firstLine = NO_HEAD.firstLine
    this.prefixBytes = NO_HEAD.prefixBytes
    this.prefix = NO_HEAD.prefix
    this.skipping = false
    this.counted = 0
    this.rejected = 0
    this.skipped = 0
    this.settle('')
  }
}

/** Its fields can be read; only its methods change them. */
export type TrackedFile = Readonly<FileState>

export const trackFile = (record: FileRecord, size: number, owner: FileOwner = nobody): TrackedFile =>
  new FileState(record, size, owner)

/** A file never seen before. */
export const newFile = (path: string, facts: FileFacts, owner?: FileOwner): TrackedFile =>
  trackFile(newRecord(path, facts), facts.size, owner)

const newRecord = (path: string, facts: FileFacts): FileRecord => ({
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
  head: NO_HEAD,
})

export const pendingBytes = (file: TrackedFile): number => file.scannedTo - file.position

/** Bytes that stand in the file and have not been scanned. */
export const lagBytes = (file: TrackedFile): number => Math.max(0, file.size - file.scannedTo)

/** Whether the facts say that there may be something to read or to check. */
export const needsLook = (file: TrackedFile, facts: FileFacts): boolean =>
  facts.size !== file.scannedTo || facts.modifiedNs !== file.modifiedNs

/**
 * Whether a known inode still belongs to the same file, as far as birth times show. A birth time equal to
 * the change time may be a stand-in, unless the file system is known to keep birth times. A birth
 * before the last change that we know of is no other file's: the file system has only begun to report it.
 */
export function sameBirth(file: TrackedFile, facts: FileFacts, birthTimesKept: boolean): boolean {
  if (facts.birthNs === 0n || facts.birthNs === file.birthNs) return true
  if (!birthTimesKept && facts.birthNs === facts.changedNs) return true
  return facts.birthNs <= file.modifiedNs
}
