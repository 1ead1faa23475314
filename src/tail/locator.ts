import nodePath from 'node:path'
import type { Events, FileOperation } from '../events.ts'
import type { Failures } from './failures.ts'
import { isMissing, type FileFacts, type FileSystem } from './file-system.ts'
import type { Handles } from './handles.ts'
import { markerHolds } from './marker.ts'
import type { Registry } from './registry.ts'
import { findBeside, type Sighting } from './scan.ts'
import type { ReadQueue } from './read-queue.ts'
import { newFile, pendingBytes, type TrackedFile } from './tracked-file.ts'

export interface LocatorOptions {
  readonly fileName: string
  /** A file that no path leads to is forgotten after this long. */
  readonly forgetAfterMs: number
}

export interface LocatorDeps {
  readonly fs: FileSystem
  readonly registry: Registry
  readonly handles: Handles
  readonly readQueue: ReadQueue
  readonly failures: Failures<TrackedFile>
  readonly events: Events
  /** Wall clock. */
  readonly now: () => number
  readonly onRotation: () => void
  readonly onFailure: (file: TrackedFile, operation: FileOperation, error: unknown) => Promise<void>
}

/** Which file is where: a path leads to different files in turn, and a file goes from path to path. */
export interface Locator {
  /** A path leads to a file with these facts; what it is, and what it may hold to read, follows from them. */
  sight(sighting: Sighting): Promise<TrackedFile>
  /** No sighting has led to this file: is it where it was, next to that, or nowhere? */
  locate(file: TrackedFile): Promise<void>
  /** Whether the path leads to this file now. */
  leadsTo(path: string, file: TrackedFile): Promise<boolean>
  /** The file with these facts is this one. */
  same(file: TrackedFile, facts: FileFacts): boolean
  /** Deleted files that are still open, and perhaps not read to the end. */
  readonly deleted: Set<TrackedFile>
  forget(file: TrackedFile): Promise<void>
}

export function createLocator(
  deps: LocatorDeps,
  deleted: Set<TrackedFile>,
  options: LocatorOptions,
): Locator {
  const { fs, registry, handles, readQueue, failures, events } = deps

  const same = (file: TrackedFile, facts: FileFacts): boolean => registry.find(facts) === file

  async function sight({ path, facts }: Sighting): Promise<TrackedFile> {
    const file = await fileOf(path, facts)
    // Nothing is read of it: whichever of two files with one inode this is, it is this one from now on.
    if (file.scannedTo === 0) file.birthNs = facts.birthNs
    if (file.path !== path && !(await leadsTo(file.path, file))) moveTo(file, path, false)
    deleted.delete(file)
    reappeared(file)
    for (const other of registry.at(path)) if (other !== file) await locate(other)
    readQueue.offer(file, facts)
    return file
  }

  async function fileOf(path: string, facts: FileFacts): Promise<TrackedFile> {
    for (const file of registry.at(path)) if (await hasNewDevice(file, facts)) return file
    const owner = registry.owner(facts)
    // Its inode may be this file's only because device numbers have changed places: then it is where it was.
    if (owner !== undefined && owner.path !== path) await followDevice(owner)
    const former = registry.formerOwner(facts)
    // While a file is open its inode cannot be another's: then it is the birth time that cannot be trusted.
    if (former !== undefined && handles.get(former) !== undefined) former.birthNs = facts.birthNs
    else if (former !== undefined) await forget(former)
    return registry.find(facts) ?? discover(path, facts)
  }

  function discover(path: string, facts: FileFacts): TrackedFile {
    const file = newFile(path, facts)
    registry.add(file)
    events.fileFound(path)
    return file
  }

  /** The same file at its path under another device number, as after its file system was mounted anew. */
  async function hasNewDevice(file: TrackedFile, facts: FileFacts): Promise<boolean> {
    if (file.inode !== facts.inode || file.device === facts.device || facts.size < file.position) return false
    if (!(await holds(file))) return false
    await handles.close(file)
    registry.changeDevice(file, facts.device)
    return true
  }

  async function followDevice(file: TrackedFile): Promise<void> {
    const facts = await fs.stat(file.path).catch(() => undefined)
    if (facts !== undefined) await hasNewDevice(file, facts)
  }

  async function holds(file: TrackedFile): Promise<boolean> {
    try {
      return await markerHolds(fs, file.path, file)
    } catch (error) {
      events.fileFailed(file.path, 'open', error)
      return false
    }
  }

  async function leadsTo(path: string, file: TrackedFile): Promise<boolean> {
    try {
      return same(file, await fs.stat(path))
    } catch {
      return false
    }
  }

  function moveTo(file: TrackedFile, path: string, rotated: boolean): void {
    events.fileRotated(file.path, path)
    deps.onRotation()
    registry.move(file, path)
    file.rotated = rotated
  }

  function reappeared(file: TrackedFile): void {
    if (file.missingSinceMs === undefined) return
    file.missingSinceMs = undefined
    registry.touch(file)
  }

  async function locate(file: TrackedFile): Promise<void> {
    try {
      const facts = await fs.stat(file.path)
      if (same(file, facts) || (await hasNewDevice(file, facts))) {
        reappeared(file)
        readQueue.offer(file, facts)
        return
      }
    } catch (error) {
      if (!isMissing(error)) return await deps.onFailure(file, 'stat', error)
    }
    // Rotation renames within a directory.
    const found = await findBeside(fs, file.path, (facts) => same(file, facts))
    if (found === undefined) return lose(file)
    if (found.path !== file.path) moveTo(file, found.path, nodePath.basename(found.path) !== options.fileName)
    reappeared(file)
    readQueue.offer(file, found.facts)
  }

  /** No path leads to the file any more; an open handle still may. */
  async function lose(file: TrackedFile): Promise<void> {
    const handle = handles.get(file)
    // What is not there does not fail either.
    if (handle === undefined && failures.remove(file)) file.error = undefined
    const facts = await handle?.facts().catch(() => undefined)
    if (facts?.links === 0) {
      deleted.add(file)
      readQueue.offer(file, facts)
      return
    }
    if (facts !== undefined) readQueue.offer(file, facts)
    if (file.missingSinceMs === undefined) {
      file.missingSinceMs = deps.now()
      registry.touch(file)
    } else if (handle === undefined && deps.now() - file.missingSinceMs > options.forgetAfterMs)
      await forget(file)
  }

  async function forget(file: TrackedFile): Promise<void> {
    readQueue.drop(file)
    failures.remove(file)
    deleted.delete(file)
    events.fileGone(file.path, pendingBytes(file))
    registry.drop(file)
    await handles.close(file)
  }

  return { sight, locate, leadsTo, same, deleted, forget }
}
