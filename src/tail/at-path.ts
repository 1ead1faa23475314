import nodePath from 'node:path'
import type { FileSystem } from './file-system.ts'
import { isRotatedEntry } from './names.ts'
import type { ScanOptions } from './scan.ts'
import type { Beside, Sighting } from './sightings.ts'
import { mayFollow, resolveRoots } from './within-roots.ts'

/**
 * The trace at a path, by the rules of a scan: `undefined` if a scan would not find it there, because of its name or
 * of a link out of the roots. Throws what the file system throws.
 */
export async function traceAt(
  fs: FileSystem,
  path: string,
  roots: readonly string[],
  options: ScanOptions,
): Promise<Sighting | undefined> {
  if (nodePath.basename(path) !== options.fileName && !roots.includes(path)) return undefined
  const facts = await fs.stat(path)
  if (!facts.isFile || !(await mayFollow(fs, path, await resolveRoots(fs, roots), options.followSymlinks)))
    return undefined
  return { path, facts }
}

/** Rotated names beside a root that is a file; `undefined` if there are none, or the directory cannot be listed. */
export async function besideRoot(fs: FileSystem, root: string): Promise<Beside | undefined> {
  const directory = nodePath.dirname(root)
  const watchedName = nodePath.basename(root)
  try {
    const { modifiedNs } = await fs.stat(directory)
    const entries = await fs.list(directory)
    const names = entries.filter((entry) => isRotatedEntry(entry, watchedName)).map(({ name }) => name)
    return names.length === 0 ? undefined : { directory, modifiedNs, root, watchedName, names }
  } catch {
    return undefined
  }
}
