import fs from 'node:fs'
import type { TrackedFile } from '../tail/tracked-file.ts'

/** Reads single lines again, in any order; neighbouring ones cost no further read. */
export interface LineReader {
  /** A line without its end. Throws where the file is not the one that was read before. */
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

export function createLineReader(): LineReader {
  /** In the order of their last use. */
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
    if (stats.ino !== file.inode || stats.dev !== file.device || Number(stats.size) < file.position) {
      fs.closeSync(handle)
      throw changed(file)
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

  function fill(file: TrackedFile, window: Window, at: number, length: number): void {
    const size = Math.min(Math.max(WINDOW_BYTES, length), file.position - at)
    const bytes = Buffer.allocUnsafe(size)
    for (let filled = 0; filled < size;) {
      const got = fs.readSync(window.handle, bytes, filled, size - filled, at + filled)
      if (got === 0) throw changed(file)
      filled += got
    }
    window.bytes = bytes
    window.from = at
  }

  return {
    read(file, at, length) {
      const window = windowOf(file)
      if (at < window.from || at + length > window.from + window.bytes.length) fill(file, window, at, length)
      const start = at - window.from
      let end = start + length - 1
      if (window.bytes[end] !== NEWLINE) throw changed(file)
      if (window.bytes[end - 1] === RETURN) end--
      return window.bytes.toString('utf8', start, end)
    },
    close() {
      for (const { handle } of windows.values()) fs.closeSync(handle)
      windows.clear()
    },
  }
}

const changed = (file: TrackedFile): Error =>
  new Error(`${file.path} was changed while it was read. Run the command again.`)
