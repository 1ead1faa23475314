import nodePath from 'node:path'
import type { FileSystem } from './file-system.ts'

/** The roots with all links followed. */
export const resolveRoots = (fs: FileSystem, roots: readonly string[]): Promise<string[]> =>
  Promise.all(roots.map((root) => fs.resolve(root).catch(() => root)))

/** Whether the path leads into the roots, or links may lead out of them. `realRoots`: as `resolveRoots` gives them. */
export async function mayFollow(
  fs: FileSystem,
  path: string,
  realRoots: readonly string[],
  followSymlinks: boolean,
): Promise<boolean> {
  if (followSymlinks) return true
  const target = await fs.resolve(path)
  return realRoots.some((root) => isWithin(target, root))
}

/** Whether a path is the root or lies below it. */
export const isWithin = (path: string, root: string): boolean =>
  path === root || path.startsWith(root.endsWith(nodePath.sep) ? root : root + nodePath.sep)
