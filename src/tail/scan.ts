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

/** Finds every trace below the roots, whatever events told or missed. Errors go to `onError`; the rest goes on. */
export async function scan(
  fs: FileSystem,
  roots: readonly string[],
  options: ScanOptions,
  onError: (path: string, operation: 'stat' | 'list', error: unknown) => void,
): Promise<ScanResult> {
  const found: Sighting[] = []
  const missingRoots: string[] = []
  const visited = new Set<string>()
  const realRoots = await Promise.all(roots.map((root) => fs.resolve(root).catch(() => root)))

  for (const root of roots) {
    try {
      const facts = await fs.stat(root)
      if (facts.isFile) found.push({ path: root, facts })
      else if (facts.isDirectory) await walk(root, facts)
    } catch (error) {
      if (isMissing(error)) missingRoots.push(root)
      else onError(root, 'stat', error)
    }
  }
  return { found, missingRoots }

  async function walk(directory: string, facts: FileFacts): Promise<void> {
    const identity = `${facts.device}:${facts.inode}`
    if (visited.has(identity)) return
    visited.add(identity)
    let entries: DirectoryEntry[]
    try {
      entries = await fs.list(directory)
    } catch (error) {
      if (!isMissing(error)) onError(directory, 'list', error)
      return
    }
    for (const entry of entries) {
      if (entry.name !== options.fileName && entry.kind === 'file') continue
      await visit(nodePath.join(directory, entry.name), entry)
    }
  }

  async function visit(path: string, entry: DirectoryEntry): Promise<void> {
    if (entry.kind === 'other' || (entry.kind === 'directory' && isIgnoredDirectory(entry.name))) return
    try {
      if (entry.kind === 'link' && !(await mayFollow(path))) return
      const facts = await fs.stat(path)
      if (facts.isDirectory) await walk(path, facts)
      else if (facts.isFile && entry.name === options.fileName) found.push({ path, facts })
    } catch (error) {
      // Gone between the listing and the look, or a link to nothing.
      if (!isMissing(error)) onError(path, 'stat', error)
    }
  }

  async function mayFollow(link: string): Promise<boolean> {
    if (options.followSymlinks) return true
    const target = await fs.resolve(link)
    return realRoots.some((root) => target === root || target.startsWith(root + nodePath.sep))
  }
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
