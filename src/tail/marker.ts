import type { FileSystem } from './file-system.ts'
import { digest, MARKER_BYTES, type TrackedFile } from './tracked-file.ts'

/**
 * Whether the bytes before a file's position stand at the same place in what a path leads to now.
 * Nothing can be said of a file of which nothing is read: `false`. Throws what the file system throws.
 */
export async function markerHolds(fs: FileSystem, path: string, file: TrackedFile): Promise<boolean> {
  if (file.position === 0) return false
  const handle = await fs.open(path)
  try {
    const before = Buffer.alloc(Math.min(MARKER_BYTES, file.position))
    const got = await handle.read(before, 0, before.length, file.position - before.length)
    return got === before.length && digest(before) === file.marker
  } finally {
    await handle.close()
  }
}
