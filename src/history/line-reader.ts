import fs from 'node:fs'
import { digest, MARKER_BYTES } from '../tail/digest.ts'
import type { TrackedFile } from '../tail/tracked-file.ts'

/** A file was replaced, truncated or rewritten after it was first read. */
export class ChangedFile extends Error {
  override readonly name = 'ChangedFile'

  constructor(path: string) {
    super(`${path} changed while it was being read. Run the command again.`)
  }
}

/** Reads single lines again, in any order; adjacent lines need no further read. Holds at most 8 MiB. */
export interface LineReader {
  /** Returns a line without its newline. Throws `ChangedFile` if the file is not the one that was read before. */
  read(file: TrackedFile, at: number, length: number): string
  close(): void
}

interface Window {
  readonly handle: number
  bytes: Buffer
  /** Where the window starts in the file. */
  from: number
}

const WINDOW_BYTES = 64 * 1024
const MAX_OPEN = 128
const NEWLINE = 10
const RETURN = 13
const BRACE = 0x7d

export function createLineReader(): LineReader {
  /** Least recently used first. */
  const windows = new Map<TrackedFile, Window>()

  function open(file: TrackedFile): Window {
    if (windows.size >= MAX_OPEN) {
      const [oldest] = windows
      if (oldest !== undefined) {
        fs.closeSync(oldest[1].handle)
        windows.delete(oldest[0])
      }
    }
    const handle = fs.openSync(file.path, 'r')
    const stats = fs.fstatSync(handle, { bigint: true })
    if (stats.ino !== file.inode || stats.dev !== file.device || !endsAsRead(handle, file)) {
      fs.closeSync(handle)
      throw new ChangedFile(file.path)
    }
    return { handle, bytes: Buffer.alloc(0), from: 0 }
  }

  function windowOf(file: TrackedFile): Window {
    const found = windows.get(file)
    const window = found ?? open(file)
    if (found !== undefined) windows.delete(file)
    windows.set(file, window)
    return window
  }

  return {
    read(file, at, length) {
      const window = windowOf(file)
      // A longer line gets no window: windows are kept, and would add up to the longest line of every file.
      if (length > WINDOW_BYTES) return textOf(file, readExactly(window.handle, at, length) ?? fail(file))
      if (at < window.from || at + length > window.from + window.bytes.length) {
        const size = Math.min(WINDOW_BYTES, file.position - at)
        window.bytes = readExactly(window.handle, at, size) ?? fail(file)
        window.from = at
      }
      const start = at - window.from
      return textOf(file, window.bytes.subarray(start, start + length))
    },
    close() {
      for (const { handle } of windows.values()) fs.closeSync(handle)
      windows.clear()
    },
  }
}

/** Decodes a line without its newline. A part of a line, before another record, ends in the brace of its object. */
function textOf(file: TrackedFile, line: Buffer): string {
  let end = line.length - 1
  if (line[end] === BRACE) return line.toString()
  if (line[end] !== NEWLINE) return fail(file)
  if (line[end - 1] === RETURN) end--
  return line.toString('utf8', 0, end)
}

/** True if the bytes before the position are those that were read, which excludes a truncated or rewritten file. */
function endsAsRead(handle: number, file: TrackedFile): boolean {
  const length = Math.min(MARKER_BYTES, file.position)
  const bytes = readExactly(handle, file.position - length, length)
  return bytes !== undefined && digest(bytes) === file.marker
}

/** Returns `undefined` if the file is shorter. */
function readExactly(handle: number, at: number, length: number): Buffer | undefined {
  const bytes = Buffer.allocUnsafe(length)
  for (let filled = 0; filled < length;) {
    const got = fs.readSync(handle, bytes, filled, length - filled, at + filled)
    if (got === 0) return undefined
    filled += got
  }
  return bytes
}

function fail(file: TrackedFile): never {
  throw new ChangedFile(file.path)
}
