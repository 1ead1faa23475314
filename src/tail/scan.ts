import nodePath from 'node:path'
import { isMissing, type DirectoryEntry, type FileFacts, type FileSystem } from './file-system.ts'

/** Directories that hold no traces but many files. */
const IGNORED_DIRECTORIES = new Set([
  'node_modules',
  '.git',
  '.hg',
  '.svn',
  '.cache',
  '.pnpm-store',
  '__pycache__',
])

export const isIgnoredDirectory = (name: string): boolean => IGNORED_DIRECTORIES.has(name)

export interface ScanOptions {
  /** Only files of this name are traces; a root that is a file may have any name. */
  readonly fileName: string
  /** Also follow links that lead out of the roots. */
  readonly followSymlinks: boolean
}

export interface Sighting {
  readonly path: string
  readonly facts: FileFacts
}

export interface ScanResult {
  readonly found: readonly Sighting[]
  readonly missingRoots: readonly string[]
}

/** What a walk tells of, and asks, on its way. */
export interface WalkEvents {
  failed(path: string, operation: 'stat' | 'list', error: unknown): void
  /** Whether a directory or root has failed a moment ago and is to be left alone for now. */
  isBackingOff(path: string): boolean
  /** What may have failed before could be looked at. */
  reachable(path: string): void
}

/** Finds every trace below the roots, whatever events told or missed. Errors go to `onError`; the rest goes on. */
export async function scan(
  fs: FileSystem,
  roots: readonly string[],
  options: ScanOptions,
  onError: WalkEvents['failed'],
): Promise<ScanResult> {
  const found: Sighting[] = []
  const steps = walk(fs, roots, options, {
    failed: onError,
    isBackingOff: () => false,
    reachable: () => undefined,
  })
  for (;;) {
    const { done, value } = await steps.next()
    if (done === true) return { found, missingRoots: value }
    if (value !== undefined) found.push(value)
  }
}

/**
 * The same step by step, a trace or nothing at each, so that whoever asks may stop or do something else in between.
 * Ends with the roots that do not exist.
 */
export async function* walk(
  fs: FileSystem,
  roots: readonly string[],
  options: ScanOptions,
  events: WalkEvents,
): AsyncGenerator<Sighting | undefined, readonly string[]> {
  const missingRoots: string[] = []
  const visited = new Set<string>()
  const realRoots = await resolveRoots(fs, roots)
  const directories: string[] = []

  for (const root of roots) {
    if (events.isBackingOff(root)) continue
    try {
      const facts = await fs.stat(root)
      if (facts.isDirectory) enter(root, facts)
      else events.reachable(root)
      if (facts.isFile) yield { path: root, facts }
    } catch (error) {
      if (isMissing(error)) missingRoots.push(root)
      else events.failed(root, 'stat', error)
    }
    for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
      for (const entry of await list(directory))
        yield await visit(nodePath.join(directory, entry.name), entry)
      yield undefined
    }
  }
  return missingRoots

  function enter(directory: string, facts: FileFacts): void {
    const identity = `${facts.device}:${facts.inode}`
    if (visited.has(identity)) return
    visited.add(identity)
    directories.push(directory)
  }

  async function list(directory: string): Promise<DirectoryEntry[]> {
    if (events.isBackingOff(directory)) return []
    try {
      const entries = await fs.list(directory)
      events.reachable(directory)
      return entries.filter(({ name, kind }) => name === options.fileName || kind !== 'file')
    } catch (error) {
      if (!isMissing(error)) events.failed(directory, 'list', error)
      return []
    }
  }

  async function visit(path: string, entry: DirectoryEntry): Promise<Sighting | undefined> {
    if (entry.kind === 'other' || (entry.kind === 'directory' && isIgnoredDirectory(entry.name)))
      return undefined
    if (events.isBackingOff(path)) return undefined
    try {
      if (entry.kind === 'link' && !(await mayFollow(fs, path, realRoots, options))) return undefined
      const facts = await fs.stat(path)
      if (facts.isDirectory) enter(path, facts)
      else events.reachable(path)
      if (facts.isFile && entry.name === options.fileName) return { path, facts }
    } catch (error) {
      // Gone between the listing and the look, or a link to nothing.
      if (!isMissing(error)) events.failed(path, 'stat', error)
      else if (entry.name.includes(NOT_UTF8)) events.failed(path, 'stat', unspeakable(entry.name))
    }
    return undefined
  }
}

/** What stands in a name for bytes that are no UTF-8: the file cannot be asked for by it. */
const NOT_UTF8 = '\uFFFD'

const unspeakable = (name: string): Error =>
  Object.assign(new Error(`the name "${name}" is not valid UTF-8; rename it`), { code: 'EILSEQ' })

const resolveRoots = (fs: FileSystem, roots: readonly string[]): Promise<string[]> =>
  Promise.all(roots.map((root) => fs.resolve(root).catch(() => root)))

async function mayFollow(
  fs: FileSystem,
  path: string,
  realRoots: readonly string[],
  { followSymlinks }: ScanOptions,
): Promise<boolean> {
  if (followSymlinks) return true
  const target = await fs.resolve(path)
  return realRoots.some((root) => isWithin(target, root))
}

/** Whether a path is the root or lies below it. */
export const isWithin = (path: string, root: string): boolean =>
  path === root || path.startsWith(root.endsWith(nodePath.sep) ? root : root + nodePath.sep)

/**
 * The trace that a path leads to, by the rules of a scan: `undefined` where a scan would not find it there, be it for
 * its name or for a link on the way that leads out of the roots. Throws what the file system throws.
 */
export async function traceAt(
  fs: FileSystem,
  path: string,
  roots: readonly string[],
  options: ScanOptions,
): Promise<Sighting | undefined> {
  if (nodePath.basename(path) !== options.fileName && !roots.includes(path)) return undefined
  const facts = await fs.stat(path)
  if (!facts.isFile || !(await mayFollow(fs, path, await resolveRoots(fs, roots), options))) return undefined
  return { path, facts }
}

/** Looks beside a path, where rotation renames to, for the file that `isIt` recognises. */
export async function findBeside(
  fs: FileSystem,
  path: string,
  isIt: (facts: FileFacts) => boolean,
): Promise<Sighting | undefined> {
  const directory = nodePath.dirname(path)
  const entries = await fs.list(directory).catch(() => [])
  for (const entry of entries) {
    if (entry.kind !== 'file') continue
    const beside = nodePath.join(directory, entry.name)
    const facts = await fs.stat(beside).catch(() => undefined)
    if (facts !== undefined && isIt(facts)) return { path: beside, facts }
  }
  return undefined
}
