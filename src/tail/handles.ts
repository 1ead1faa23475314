import type { FileSystem, OpenFile } from './file-system.ts'
import type { TrackedFile } from './tracked-file.ts'

/** Open files, the hot ones: while one is open, its deletion cannot take unread bytes away. */
export interface Handles {
  get(file: TrackedFile): OpenFile | undefined
  /** The same, for reading: keeps the file from being the longest unused. */
  use(file: TrackedFile): OpenFile | undefined
  /** Opens a file that is not open. Throws what opening throws. */
  open(file: TrackedFile): Promise<OpenFile>
  close(file: TrackedFile): Promise<void>
  closeAll(): Promise<void>
  /** Files that are open, the longest unused first. */
  files(): readonly TrackedFile[]
}

/** Keeps at most `limit` files open, closing the longest unused that `mayClose` allows. */
export function createHandles(
  fs: FileSystem,
  limit: number,
  mayClose: (file: TrackedFile) => boolean = () => true,
): Handles {
  const open = new Map<TrackedFile, OpenFile>()

  async function close(file: TrackedFile): Promise<void> {
    const handle = open.get(file)
    open.delete(file)
    // Nothing was written through it, so a failing close loses nothing.
    await handle?.close().catch(() => undefined)
  }

  return {
    get: (file) => open.get(file),
    use(file) {
      const known = open.get(file)
      if (known === undefined) return undefined
      open.delete(file)
      open.set(file, known)
      return known
    },
    async open(file) {
      if (open.size >= limit) {
        const longestUnused = [...open.keys()].find(mayClose)
        if (longestUnused !== undefined) await close(longestUnused)
      }
      const handle = await fs.open(file.path)
      open.set(file, handle)
      return handle
    },
    close,
    async closeAll() {
      await Promise.all([...open.keys()].map(close))
    },
    files: () => [...open.keys()],
  }
}
