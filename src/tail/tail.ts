import nodePath from 'node:path'
import type { Events, FileOperation } from '../events.ts'
import { createFailures } from './failures.ts'
import { isMissing, observed, type FileFacts, type FileSystem } from './file-system.ts'
import { createHandles } from './handles.ts'
import type { Reader } from './reader.ts'
import type { Registry } from './registry.ts'
import { findBeside, scan, type ScanOptions, type Sighting } from './scan.ts'
import { markerHolds } from './marker.ts'
import { lagBytes, needsLook, newFile, pendingBytes, type TrackedFile } from './tracked-file.ts'

export interface TailOptions extends ScanOptions {
  readonly roots: readonly string[]
  /** A file quiet for longer is closed; the next scan finds what is added to it. */
  readonly coldAfterMs: number
  readonly maxOpenFiles: number
  /** A file that no path leads to is forgotten after this long. */
  readonly forgetAfterMs: number
}

export interface TailDeps {
  readonly fs: FileSystem
  readonly registry: Registry
  readonly reader: Reader
  readonly events: Events
  /** Wall clock. */
  readonly now: () => number
  /** Never jumps: a retry must not wait for a clock that was set back. */
  readonly monotonicMs: () => number
  /** Awaited before each slice: commits what is due, and holds reading back while the state cannot be written. */
  readonly beforeSlice: () => Promise<void>
  readonly onRotation: () => void
}

type FileCondition = 'hot' | 'cold' | 'rotated' | 'failing'

interface FileStatus {
  readonly file: Readonly<TrackedFile>
  readonly condition: FileCondition
  readonly pendingBytes: number
  readonly lagBytes: number
}

/**
 * Finds and reads files. Its calls are made one after another, never two at a time; each may be made at
 * any moment and as often as one likes: events and timers are hints, what stands on disk is the truth.
 */
export interface Tail {
  /** Looks at everything below the roots. */
  scan(): Promise<void>
  /** Looks at one path that something happened to. */
  look(path: string): Promise<void>
  /** Looks at the files that are open. */
  poll(): Promise<void>
  /**
   * Reads what the looks have found, a slice of each file in turn, until nothing is left or `stop` says so.
   * Says whether nothing is left.
   */
  drain(stop?: () => boolean): Promise<boolean>
  /** Closes every file. */
  close(): Promise<void>
  status(): Iterable<FileStatus>
  roots(): readonly { path: string; state: 'watching' | 'waiting' }[]
}

export function createTail(deps: TailDeps, options: TailOptions): Tail {
  const { registry, reader, events } = deps
  const fs = observed(deps.fs, (facts) => registry.learn(facts))
  const queue = new Set<TrackedFile>()
  const failures = createFailures(() => deps.monotonicMs())
  /** Deleted, but still open and perhaps not read to the end. */
  const deleted = new Set<TrackedFile>()
  const waiting = new Set<string>()
  const handles = createHandles(fs, options.maxOpenFiles, (file) => !deleted.has(file))

  async function fail(file: TrackedFile, operation: FileOperation, error: unknown): Promise<void> {
    // A stale handle, as after a network file system went away, never heals; a deleted file has no other.
    if (!deleted.has(file)) await handles.close(file)
    failures.add(file)
    queue.delete(file)
    file.error = error instanceof Error ? error.message : String(error)
    events.fileFailed(file.path, operation, error)
  }

  function recover(file: TrackedFile): void {
    if (!failures.remove(file)) return
    file.error = undefined
    events.fileRecovered(file.path)
  }

  /** A path leads to a file with these facts. */
  async function sight({ path, facts }: Sighting, sighted?: Set<TrackedFile>): Promise<void> {
    const former = registry.formerOwner(facts)
    // While a file is open its inode cannot be another's: then it is the birth time that cannot be trusted.
    if (former !== undefined && handles.get(former) !== undefined) former.birthNs = facts.birthNs
    else if (former !== undefined) await forget(former)
    const file = registry.find(facts) ?? (await adopt(path, facts)) ?? discover(path, facts)
    // Nothing is read of it: whichever of two files with one inode this is, it is this one from now on.
    if (file.scannedTo === 0) file.birthNs = facts.birthNs
    if (file.path !== path && !(await leadsTo(file.path, file))) moveTo(file, path, false)
    sighted?.add(file)
    deleted.delete(file)
    reappeared(file)
    for (const other of registry.at(path)) if (other !== file) await locate(other)
    enqueue(file, facts)
  }

  function enqueue(file: TrackedFile, facts: FileFacts): void {
    file.size = facts.size
    if (!needsLook(file, facts)) return
    if (!failures.waits(file)) queue.add(file)
  }

  function discover(path: string, facts: FileFacts): TrackedFile {
    const file = newFile(path, facts)
    registry.add(file)
    events.fileFound(path)
    return file
  }

  /** The same file under another device number, as after mounting its file system anew. */
  async function adopt(path: string, facts: FileFacts): Promise<TrackedFile | undefined> {
    for (const file of registry.at(path)) {
      if (file.inode !== facts.inode || file.device === facts.device || facts.size < file.position) continue
      if (!(await holds(path, file))) continue
      await handles.close(file)
      registry.changeDevice(file, facts.device)
      return file
    }
    return undefined
  }

  async function holds(path: string, file: TrackedFile): Promise<boolean> {
    try {
      return await markerHolds(fs, path, file)
    } catch (error) {
      events.fileFailed(path, 'open', error)
      return false
    }
  }

  const same = (file: TrackedFile, facts: FileFacts): boolean => registry.find(facts) === file

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

  /** No sighting has led to this file: is it where it was, next to that, or nowhere? */
  async function locate(file: TrackedFile): Promise<void> {
    try {
      const facts = await fs.stat(file.path)
      if (same(file, facts)) {
        reappeared(file)
        enqueue(file, facts)
        return
      }
    } catch (error) {
      if (!isMissing(error)) return await fail(file, 'stat', error)
    }
    // Rotation renames within a directory.
    const found = await findBeside(fs, file.path, (facts) => same(file, facts))
    if (found === undefined) return lose(file)
    if (found.path !== file.path) moveTo(file, found.path, nodePath.basename(found.path) !== options.fileName)
    reappeared(file)
    enqueue(file, found.facts)
  }

  /** No path leads to the file any more; an open handle still may. */
  async function lose(file: TrackedFile): Promise<void> {
    const handle = handles.get(file)
    const facts = await handle?.facts().catch(() => undefined)
    if (facts?.links === 0) {
      deleted.add(file)
      enqueue(file, facts)
      return
    }
    if (facts !== undefined) enqueue(file, facts)
    if (file.missingSinceMs === undefined) {
      file.missingSinceMs = deps.now()
      registry.touch(file)
    } else if (handle === undefined && deps.now() - file.missingSinceMs > options.forgetAfterMs)
      await forget(file)
  }

  async function forget(file: TrackedFile): Promise<void> {
    queue.delete(file)
    failures.remove(file)
    deleted.delete(file)
    events.fileGone(file.path, pendingBytes(file))
    registry.drop(file)
    await handles.close(file)
  }

  /** The file's handle; opened by path, it may turn out to be another file's. */
  async function handleOf(file: TrackedFile): Promise<ReturnType<typeof handles.get>> {
    const handle = await handles.open(file)
    if (same(file, await handle.facts())) return handle
    await handles.close(file)
    queue.delete(file)
    return undefined
  }

  async function readOnce(file: TrackedFile): Promise<void> {
    let operation: FileOperation = 'open'
    try {
      const handle = handles.get(file) ?? (await handleOf(file))
      if (handle === undefined) return await locate(file)
      operation = 'read'
      const rest = await reader.readSlice(file, handle, deps.now())
      queue.delete(file)
      // To the end of the queue: who reads on after a pause begins with those that waited longest.
      if (rest === 'more') queue.add(file)
      recover(file)
    } catch (error) {
      if (operation === 'open' && isMissing(error)) {
        queue.delete(file)
        await locate(file)
      } else await fail(file, operation, error)
    }
  }

  return {
    async scan() {
      const result = await scan(fs, options.roots, options, events.fileFailed)
      noteRoots(result.missingRoots)
      // Older files first: where a build is spread over two, its entries come in order more often.
      const found = [...result.found].sort((a, b) => Number(a.facts.modifiedNs - b.facts.modifiedNs))
      const sighted = new Set<TrackedFile>()
      for (const sighting of found) await sight(sighting, sighted)
      for (const file of Array.from(registry.all())) {
        if (!sighted.has(file) && !deleted.has(file) && isBelowRoots(file.path)) await locate(file)
      }
    },
    async look(path) {
      try {
        const facts = await fs.stat(path)
        if (facts.isFile) return await sight({ path, facts })
      } catch (error) {
        if (!isMissing(error)) return events.fileFailed(path, 'stat', error)
      }
      for (const file of registry.at(path)) await locate(file)
    },
    async poll() {
      for (const file of handles.files()) await pollOne(file)
      for (const file of failures.due()) await locate(file)
    },
    async drain(stop = () => false) {
      while (queue.size > 0) {
        for (const file of Array.from(queue)) {
          if (stop()) return false
          await deps.beforeSlice()
          await readOnce(file)
        }
      }
      return true
    },
    close: () => handles.closeAll(),
    *status() {
      for (const file of registry.all()) {
        yield {
          file,
          condition: conditionOf(file),
          pendingBytes: pendingBytes(file),
          lagBytes: lagBytes(file),
        }
      }
    },
    roots: () => options.roots.map((path) => ({ path, state: waiting.has(path) ? 'waiting' : 'watching' })),
  }

  async function pollOne(file: TrackedFile): Promise<void> {
    try {
      const facts = await handles.get(file)?.facts()
      if (facts === undefined) return
      const quietMs = deps.now() - (file.lastReadMs ?? 0)
      if (needsLook(file, facts)) enqueue(file, facts)
      else if (deleted.has(file)) await forget(file)
      else if (facts.links === 0) deleted.add(file)
      else if (quietMs > options.coldAfterMs) await handles.close(file)
      else if (file.missingSinceMs === undefined && !(await leadsTo(file.path, file))) await locate(file)
    } catch (error) {
      await fail(file, 'stat', error)
    }
  }

  function conditionOf(file: TrackedFile): FileCondition {
    if (failures.has(file)) return 'failing'
    if (file.rotated) return 'rotated'
    return handles.get(file) === undefined ? 'cold' : 'hot'
  }

  /** The state may know files of roots that are not given this time. */
  function isBelowRoots(path: string): boolean {
    return options.roots.some(
      (root) =>
        path.startsWith(root + nodePath.sep) ||
        // A root that is a file, under its own name or one that rotation gave it.
        (nodePath.dirname(path) === nodePath.dirname(root) && path.startsWith(root)),
    )
  }

  function noteRoots(missing: readonly string[]): void {
    for (const root of options.roots) {
      if (missing.includes(root)) {
        if (!waiting.has(root)) events.rootWaiting(root)
        waiting.add(root)
      } else if (waiting.delete(root)) events.rootFound(root)
    }
  }
}
