import type { FileSystem, OpenFile } from './file-system.ts'
import { digest, MARKER_BYTES } from './digest.ts'
import type { TrackedFile } from './tracked-file.ts'

/**
 * Whether the file at a path has the same bytes before the position as the tracked file; `false` for a file
 * of which nothing is read. Throws what the file system throws.
 */
export async function markerHolds(fs: FileSystem, path: string, file: TrackedFile): Promise<boolean> {
  if (file.position === 0) return false
  const handle = await fs.open(path)
  try {
    const length = Math.min(MARKER_BYTES, file.position)
    const before = await readExactly(handle, file.position - length, length)
    return before !== undefined && digest(before) === file.marker
  } finally {
    await handle.close()
  }
}

/** `length` bytes at `from`; `undefined` if the file is shorter. Throws what the file system throws. */
export async function readExactly(
  handle: OpenFile,
  from: number,
  length: number,
): Promise<Buffer | undefined> {
  const bytes = Buffer.allocUnsafe(length)
  for (let filled = 0; filled < length;) {
    const got = await handle.read(bytes, filled, length - filled, from + filled)
    if (got === 0) return undefined
    filled += got
  }
  return bytes
}

/** The last `MARKER_BYTES` bytes of two adjacent pieces. */
export function lastBytes(before: Buffer, data: Buffer): Buffer {
  if (data.length >= MARKER_BYTES) return data.subarray(data.length - MARKER_BYTES)
  return Buffer.concat([before, data]).subarray(-MARKER_BYTES)
}
