import nodePath from 'node:path'
import { watch, type FSWatcher } from 'chokidar'
import { rotatedKind } from './names.ts'
import { isIgnoredDirectory } from './scan.ts'

/**
 * Paths that something may have happened to. Nothing depends on a hint: without one, the next scan or poll
 * finds the same.
 */
export interface Hints {
  /** The paths since the last call. */
  take(): readonly string[]
  /** Whether there are paths to take. */
  any(): boolean
  /** Resolves when the first watchers are in place. */
  readonly ready: Promise<void>
  /** Whether watchers have come into place since the last call: what happened while they were set up shows in a scan. */
  takeReady(): boolean
  /**
   * Replaces the watchers in the background, without a gap: files and directories that have been quiet for long
   * get none any more.
   */
  renew(): void
  close(): Promise<void>
}

/** Where no events come, as from network mounts: polls and scans find everything. */
export const noHints: Hints = {
  take: () => [],
  any: () => false,
  ready: Promise.resolve(),
  takeReady: () => false,
  renew: () => undefined,
  close: () => Promise.resolve(),
}

export interface HintsOptions {
  readonly roots: readonly string[]
  readonly fileName: string
  /** A file or directory not changed for longer gets no watcher: the scan finds what is added there. */
  readonly coldAfterMs: number
  readonly nowMs: () => number
  /** Of the directories that are there when the watching begins, so many get a watcher. Default: 1,000. */
  readonly maxWatchedAtStart?: number
  /** Called for each new path, and when watchers have come into place. */
  readonly wake: () => void
  readonly onError: (error: unknown) => void
  /** Called once, in place of an error for each directory, when the system has no more watches. */
  readonly onWatchLimit: (error: Error) => void
}

/**
 * A watched directory takes 18 kB. Of those that are there when the watching begins, so many are watched at most; what is
 * created later always is.
 */
const MAX_WATCHED_AT_START = 1_000

export function createHints(given: HintsOptions): Hints {
  const options = { maxWatchedAtStart: MAX_WATCHED_AT_START, ...given, onError: withoutRepeatedLimit(given) }
  const paths = new Set<string>()
  const note = (path: string): void => {
    paths.add(path)
    options.wake()
  }
  let becameReady = false
  let isClosed = false
  let watcher = begin(options, note)
  let next: FSWatcher | undefined
  const ready = isInPlace(watcher).then(announce)

  function announce(): void {
    becameReady = true
    options.wake()
  }

  // chokidar keeps a record of every path that it was told to unwatch; a new watcher starts without them.
  async function replace(fresh: FSWatcher): Promise<void> {
    await isInPlace(fresh)
    if (isClosed) return
    const old = watcher
    watcher = fresh
    next = undefined
    announce()
    await old.close()
  }

  return {
    take() {
      const taken = [...paths]
      paths.clear()
      return taken
    },
    any: () => paths.size > 0,
    ready,
    takeReady() {
      const was = becameReady
      becameReady = false
      return was
    },
    renew() {
      if (next !== undefined || isClosed) return
      next = begin(options, note)
      replace(next).catch(options.onError)
    },
    async close() {
      isClosed = true
      await Promise.all([watcher.close(), next?.close()])
    },
  }
}

/** ENOSPC: no more inotify watches; EMFILE: no more inotify instances. */
const isWatchLimit = (error: unknown): error is Error =>
  ['ENOSPC', 'EMFILE'].includes((error as NodeJS.ErrnoException).code ?? '')

function withoutRepeatedLimit({ onError, onWatchLimit }: HintsOptions): (error: unknown) => void {
  let isKnown = false
  return (error) => {
    if (!isWatchLimit(error)) return onError(error)
    if (!isKnown) onWatchLimit(error)
    isKnown = true
  }
}

const isInPlace = (watcher: FSWatcher): Promise<void> =>
  new Promise((resolve) => {
    watcher.once('ready', () => resolve())
  })

function begin(options: Required<HintsOptions>, note: (path: string) => void): FSWatcher {
  const { roots, fileName } = options
  const isRoot = new Set(roots)
  const watchedNames = new Set([fileName, ...roots.map((root) => nodePath.basename(root))])
  let isBeginning = true
  /** chokidar asks about a path several times. */
  const admitted = new Set<string>()
  const isOneTooMany = (path: string): boolean => {
    if (!isBeginning || admitted.has(path)) return false
    if (admitted.size >= options.maxWatchedAtStart) return true
    admitted.add(path)
    return false
  }
  return (
    watch([...roots], {
      ignoreInitial: true,
      followSymlinks: false,
      ignorePermissionErrors: true,
      // chokidar has no globs: a function says what is not to be watched.
      ignored: (path, stats) => {
        if (isRoot.has(path)) return false
        const name = nodePath.basename(path)
        if (isIgnoredDirectory(name)) return true
        if (stats === undefined) return false
        if (!stats.isDirectory() && name !== fileName) return true
        if (options.nowMs() - stats.mtimeMs > options.coldAfterMs) return true
        return stats.isDirectory() && isOneTooMany(path)
      },
    })
      .once('ready', () => {
        isBeginning = false
        admitted.clear()
      })
      .on('add', note)
      .on('change', note)
      .on('unlink', note)
      // Comes without chokidar's throttles, for each name in a watched directory: a file may be created and renamed
      // before chokidar has looked at it.
      .on('raw', (_, name, details: unknown) => {
        const directory = (details as { watchedPath?: unknown }).watchedPath
        if (typeof name !== 'string' || typeof directory !== 'string') return
        const isHint = [...watchedNames].some(
          (watched) => name === watched || rotatedKind(name, watched) !== undefined,
        )
        if (isHint && nodePath.basename(directory) !== name) note(nodePath.join(directory, name))
      })
      .on('error', options.onError)
  )
}
