import nodePath from 'node:path'
import { watch, type FSWatcher } from 'chokidar'
import { isIgnoredDirectory } from './scan.ts'

export interface Hints {
  /** Watches anew: what has been quiet for long since gets no watcher any more. */
  renew(): Promise<void>
  close(): Promise<void>
}

/** Where no events come, as from network mounts: polls and scans find everything. */
export const noHints: Hints = { renew: () => Promise.resolve(), close: () => Promise.resolve() }

export interface HintsOptions {
  readonly roots: readonly string[]
  readonly fileName: string
  /** A file or directory not changed for longer gets no watcher: the scan finds what is added there. */
  readonly coldAfterMs: number
  readonly nowMs: () => number
  readonly onHint: (path: string) => void
  readonly onError: (error: unknown) => void
}

/**
 * Tells of paths that something may have happened to. Nothing depends on a hint: without one, the next
 * scan or poll finds the same.
 */
export function createHints(options: HintsOptions): Hints {
  const { roots, fileName, onHint } = options
  const isRoot = new Set(roots)
  const begin = (): FSWatcher =>
    watch([...roots], {
      ignoreInitial: true,
      followSymlinks: false,
      ignorePermissionErrors: true,
      // chokidar has no globs: what is not to be watched is said by a function.
      ignored: (path, stats) => {
        if (isRoot.has(path)) return false
        const name = nodePath.basename(path)
        if (isIgnoredDirectory(name)) return true
        if (stats === undefined) return false
        if (!stats.isDirectory() && name !== fileName) return true
        return options.nowMs() - stats.mtimeMs > options.coldAfterMs
      },
    })
      .on('add', onHint)
      .on('change', onHint)
      .on('unlink', onHint)
      .on('error', options.onError)

  let watcher = begin()
  return {
    // chokidar can be told to forget a path, but remembers each that it was told; a new one knows none.
    async renew() {
      const old = watcher
      watcher = begin()
      await old.close()
    },
    close: () => watcher.close(),
  }
}
