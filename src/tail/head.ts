import type { FileSystem, OpenFile } from './file-system.ts'
import { digest, MARKER_BYTES } from './digest.ts'
import type { Head } from './tracked-file.ts'

const NEWLINE = 10
/** NUL, tab, newline, return, space: they stand before the first line and say nothing about the content. */
const BLANK = new Set([0, 9, NEWLINE, 13, 32])
const BOM = Buffer.from([0xef, 0xbb, 0xbf])
const WINDOW_BYTES = 4_096

/**
 * How many bytes of a first line its content's head covers. The head is their digest: it stays the same while the
 * content grows, so a copy has the same head.
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

/** How a candidate begins. */
export interface Beginning {
  /** Digest of its first line, as in a `Head`. */
  readonly firstLine: string
  /** Its first bytes, `MARKER_BYTES` unless it is shorter. */
  readonly bytes: Buffer
}

/** How the open file begins; `undefined` while its first line is not there yet. Throws as `readHead` does. */
export async function beginningOf(handle: OpenFile, limit: number): Promise<Beginning | undefined> {
  const firstLine = await readHead(handle, 0, limit)
  if (firstLine === undefined) return undefined
  const bytes = Buffer.alloc(MARKER_BYTES)
  return { firstLine, bytes: bytes.subarray(0, await handle.read(bytes, 0, MARKER_BYTES, 0)) }
}

/** The same for the file at a path. */
export async function beginningAt(
  fs: FileSystem,
  path: string,
  limit: number,
): Promise<Beginning | undefined> {
  const handle = await fs.open(path)
  try {
    return await beginningOf(handle, limit)
  } finally {
    await handle.close()
  }
}

/** Whether content that begins so may be a copy of the one with this head. One that is shorter may be a part of it. */
export const mayCopy = ({ firstLine, bytes }: Beginning, head: Head): boolean =>
  firstLine === head.firstLine &&
  (bytes.length < head.prefixBytes ||
    head.prefixBytes === 0 ||
    digest(bytes.subarray(0, head.prefixBytes)) === head.prefix)

/** Whether two files begin alike, as far as the shorter one goes. */
export function beginAlike(a: Beginning, b: Beginning): boolean {
  const length = Math.min(a.bytes.length, b.bytes.length)
  return a.firstLine === b.firstLine && a.bytes.subarray(0, length).equals(b.bytes.subarray(0, length))
}
