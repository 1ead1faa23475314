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

/** There may be 100,000 files: a set for each path and a text for each inode would be most of what they take. */
export function createFileIndex(): FileIndex {
  const all = new Set<TrackedFile>()
  const byIdentity = new Map<bigint, Map<bigint, TrackedFile>>()
  /** More than one file at a path is rare. */
  const byPath = new Map<string, TrackedFile | readonly TrackedFile[]>()

  const at = (path: string): readonly TrackedFile[] => {
    const there = byPath.get(path)
    if (there === undefined) return []
    return 'path' in there ? [there] : there
  }

  function setAt(path: string, files: readonly TrackedFile[]): void {
    const [first, second] = files
    if (first === undefined) byPath.delete(path)
    else byPath.set(path, second === undefined ? first : files)
  }

  const insertPath = (file: TrackedFile): void => setAt(file.path, [...at(file.path), file])

  const removePath = (file: TrackedFile): void =>
    setAt(
      file.path,
      at(file.path).filter((one) => one !== file),
    )

  function insertIdentity(file: TrackedFile): void {
    const onDevice = byIdentity.get(file.device) ?? new Map<bigint, TrackedFile>()
    byIdentity.set(file.device, onDevice)
    onDevice.set(file.inode, file)
  }

  function removeIdentity(file: TrackedFile): void {
    const onDevice = byIdentity.get(file.device)
    if (onDevice?.get(file.inode) !== file) return
    onDevice.delete(file.inode)
    if (onDevice.size === 0) byIdentity.delete(file.device)
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
    owner: ({ device, inode }) => byIdentity.get(device)?.get(inode),
    at,
  }
}
