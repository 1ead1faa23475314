import type { FileSystem, OpenFile } from './file-system.ts'
import type { TrackedFile } from './tracked-file.ts'

/**
 * Open files, the hot ones: while one is open, its deletion cannot take unread bytes away. Deleted files stand here
 * too: only the handle refers to them.
 */
export interface Handles {
  get(file: TrackedFile): OpenFile | undefined
  /** The same, for reading: makes the file the most recently used. */
  use(file: TrackedFile): OpenFile | undefined
  /** Opens a file that is not open, or takes it over as `opened`. Throws what opening throws. */
  open(file: TrackedFile, opened?: OpenFile): Promise<OpenFile>
  /** Closes the file if it is open. Never throws. */
  close(file: TrackedFile): Promise<void>
  closeAll(): Promise<void>
  /** Files that are open, the least recently used first. */
  files(): readonly TrackedFile[]
  /** Marks an open file as deleted, until it is closed or restored. */
  markDeleted(file: TrackedFile): void
  /** The file has a path again. */
  restore(file: TrackedFile): void
  isDeleted(file: TrackedFile): boolean
  /** Deleted files take up so many handles that they are to be closed without waiting for their writers. */
  tooManyDeleted(): boolean
}

/** Keeps at most `limit` files open, closing the least recently used that is not deleted. */
export function createHandles(fs: FileSystem, limit: number): Handles {
  const open = new Map<TrackedFile, OpenFile>()
  const deleted = new Set<TrackedFile>()

  async function close(file: TrackedFile): Promise<void> {
    const handle = open.get(file)
    open.delete(file)
    deleted.delete(file)
    // Nothing was written through it, so a failing close loses nothing.
    await handle?.close().catch(() => undefined)
  }

  function leastRecentlyUsed(): TrackedFile | undefined {
    for (const file of open.keys()) if (!deleted.has(file)) return file
    return undefined
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
    async open(file, opened) {
      if (open.size >= limit) {
        const leastUsed = leastRecentlyUsed()
        const closing = leastUsed === undefined ? undefined : close(leastUsed)
        // What is open already need not wait for the place of another.
        if (opened === undefined) await closing
      }
      const handle = opened ?? (await fs.open(file.path))
      open.set(file, handle)
      return handle
    },
    close,
    async closeAll() {
      await Promise.all([...open.keys()].map(close))
    },
    files: () => [...open.keys()],
    markDeleted(file) {
      if (open.has(file)) deleted.add(file)
    },
    restore: (file) => void deleted.delete(file),
    isDeleted: (file) => deleted.has(file),
    tooManyDeleted: () => deleted.size > limit / 2,
  }
}
