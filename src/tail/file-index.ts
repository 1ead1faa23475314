import type { FileFacts } from './file-system.ts'
import type { TrackedFile } from './tracked-file.ts'

/** Files by device and inode, and by path. */
export interface FileIndex {
  readonly all: ReadonlySet<TrackedFile>
  add(file: TrackedFile): void
  delete(file: TrackedFile): void
  /** `change` gives the file another path. */
  move(file: TrackedFile, change: () => void): void
  /** `change` gives the file another device or inode. A file that had them before is found by its path alone then. */
  identify(file: TrackedFile, change: () => void): void
  owner(facts: FileFacts): TrackedFile | undefined
  at(path: string): readonly TrackedFile[]
}

const identity = (device: bigint, inode: bigint): string => `${device}:${inode}`

export function createFileIndex(): FileIndex {
  const all = new Set<TrackedFile>()
  const byIdentity = new Map<string, TrackedFile>()
  const byPath = new Map<string, Set<TrackedFile>>()

  function insertPath(file: TrackedFile): void {
    const there = byPath.get(file.path)
    if (there === undefined) byPath.set(file.path, new Set([file]))
    else there.add(file)
  }

  function removePath(file: TrackedFile): void {
    const there = byPath.get(file.path)
    there?.delete(file)
    if (there?.size === 0) byPath.delete(file.path)
  }

  function insertIdentity(file: TrackedFile): void {
    byIdentity.set(identity(file.device, file.inode), file)
  }

  function removeIdentity(file: TrackedFile): void {
    const key = identity(file.device, file.inode)
    if (byIdentity.get(key) === file) byIdentity.delete(key)
  }

  return {
    all,
    add(file) {
      all.add(file)
      insertIdentity(file)
      insertPath(file)
    },
    delete(file) {
      all.delete(file)
      removeIdentity(file)
      removePath(file)
    },
    move(file, change) {
      removePath(file)
      change()
      insertPath(file)
    },
    identify(file, change) {
      removeIdentity(file)
      change()
      insertIdentity(file)
    },
    owner: ({ device, inode }) => byIdentity.get(identity(device, inode)),
    at: (path) => [...(byPath.get(path) ?? [])],
  }
}
