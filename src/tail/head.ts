import type { FileSystem, OpenFile } from './file-system.ts'
import { digest, MARKER_BYTES } from './tracked-file.ts'

const NEWLINE = 10
/** NUL, tab, newline, return, space: they stand before the first line and say nothing about the content. */
const BLANK = new Set([0, 9, NEWLINE, 13, 32])
const BOM = Buffer.from([0xef, 0xbb, 0xbf])
const WINDOW_BYTES = 4_096

/**
 * How many bytes of a first line its content's head covers. The head is their digest: it stays the same while the
 * content grows, and tells a copy from other content.
 */
export const headBytes = (maxLineBytes: number): number => Math.min(MARKER_BYTES, maxLineBytes)

/** The head of content that begins, after blank bytes, in these; `undefined` if they do not hold all of it. */
export function headOf(bytes: Buffer, limit: number): string | undefined {
  const start = textStart(bytes)
  const end = bytes.indexOf(NEWLINE, start)
  if (end >= 0) return digest(bytes.subarray(start, Math.min(end, start + limit)))
  return bytes.length - start >= limit ? digest(bytes.subarray(start, start + limit)) : undefined
}

function textStart(bytes: Buffer): number {
  let start = bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0
  while (start < bytes.length && BLANK.has(bytes[start] as number)) start++
  return start
}

/**
 * Reads the head of the content that begins at `from`; `undefined` while its first line is not there yet. Blank bytes,
 * however many, are passed in bounded memory. Throws what the file system throws.
 */
export async function readHead(handle: OpenFile, from: number, limit: number): Promise<string | undefined> {
  const buffer = Buffer.allocUnsafe(WINDOW_BYTES)
  for (let at = from; ;) {
    let filled = 0
    while (filled < buffer.length) {
      const got = await handle.read(buffer, filled, buffer.length - filled, at + filled)
      if (got === 0) break
      filled += got
    }
    const bytes = buffer.subarray(0, filled)
    const start = textStart(bytes)
    if (start === 0 || bytes.length < buffer.length) return headOf(bytes, limit)
    at += start
  }
}

/** The same for the file that a path leads to. */
export async function headAt(fs: FileSystem, path: string, limit: number): Promise<string | undefined> {
  const handle = await fs.open(path)
  try {
    return await readHead(handle, 0, limit)
  } finally {
    await handle.close()
  }
}
