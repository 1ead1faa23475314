import nodePath from 'node:path'
import { watch } from 'chokidar'
import { isIgnoredDirectory } from './scan.ts'

export interface Hints {
  close(): Promise<void>
}

export interface HintsOptions {
  readonly roots: readonly string[]
  readonly fileName: string
  /** A file not changed for longer needs no watcher: the scan finds what is added to it. */
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
  const watcher = watch([...roots], {
    ignoreInitial: true,
    followSymlinks: false,
    ignorePermissionErrors: true,
    // chokidar has no globs: what is not to be watched is said by a function.
    ignored: (path, stats) => {
      if (isRoot.has(path)) return false
      const name = nodePath.basename(path)
      if (stats?.isFile()) return name !== fileName || options.nowMs() - stats.mtimeMs > options.coldAfterMs
      return isIgnoredDirectory(name)
    },
  })
  watcher.on('add', onHint).on('change', onHint).on('unlink', onHint).on('error', options.onError)
  return { close: () => watcher.close() }
}
