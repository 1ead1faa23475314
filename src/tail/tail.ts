import type { Events, FileOperation } from '../events.ts'
import { createFailures } from './failures.ts'
import { isMissing, observed, type FileSystem, type OpenFile } from './file-system.ts'
import { createHandles } from './handles.ts'
import type { Reader } from './reader.ts'
import type { Registry } from './registry.ts'
import { isWithin, traceAt, walk, type ScanOptions } from './scan.ts'
import { createReadQueue } from './read-queue.ts'
import { lagBytes, needsLook, pendingBytes, type TrackedFile } from './tracked-file.ts'
import { createLocator } from './locator.ts'
import nodePath from 'node:path'

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
  /**
   * Looks at everything below the roots, or as far as it gets until `stop` says so; the next call goes on from there.
   * Says whether it came to the end.
   */
  scan(stop?: () => boolean): Promise<boolean>
  /** Looks at one path that something happened to. */
  look(path: string): Promise<void>
  /** Looks at the files that are open. */
  poll(): Promise<void>
  /**
   * Reads what the looks have found, a slice of each file in turn, until nothing is left or `stop` says so.
   * Says whether nothing is left.
   */
  drain(stop?: () => boolean): Promise<boolean>
  /** Whether something could not be looked at or read for a reason that may pass in a moment. */
  hasTransientFailures(): boolean
  /** Closes every file. */
  close(): Promise<void>
  status(): Iterable<FileStatus>
  roots(): readonly { path: string; state: 'watching' | 'waiting' }[]
}

export function createTail(deps: TailDeps, options: TailOptions): Tail {
  const { registry, reader, events } = deps
  const fs = observed(deps.fs, (facts) => registry.learn(facts))
  const deleted = new Set<TrackedFile>()
  const handles = createHandles(fs, options.maxOpenFiles, (file) => !deleted.has(file))
  const failures = createFailures<TrackedFile>(deps.monotonicMs)
  const unreachablePlaces = createFailures<string>(deps.monotonicMs)
  const readQueue = createReadQueue(failures, recover)
  const locator = createLocator(
    { ...deps, fs, handles, readQueue, failures, onFailure: fail },
    deleted,
    options,
  )
  const waitingRoots = new Set<string>()
  /** Opened by their path they were another file, as where names and handles tell different inodes. */
  const mistaken = new WeakSet<TrackedFile>()
  let underway: AsyncGenerator<void, void> | undefined

  async function fail(file: TrackedFile, operation: FileOperation, error: unknown): Promise<void> {
    // A stale handle, as after a network file system went away, never heals; a deleted file has no other.
    if (!deleted.has(file)) await handles.close(file)
    failures.add(file, error)
    readQueue.drop(file)
    file.error = error instanceof Error ? error.message : String(error)
    events.fileFailed(file.path, operation, error)
  }

  function recover(file: TrackedFile): void {
    if (!failures.remove(file)) return
    file.error = undefined
    events.fileRecovered(file.path)
  }

  /** One look at everything, that can be paused after each file or directory. */
  async function* wholeScan(): AsyncGenerator<void, void> {
    const sighted = new Set<TrackedFile>()
    const steps = walk(fs, options.roots, options, {
      isBackingOff: (place) => unreachablePlaces.isBackingOff(place),
      reachable: (place) => void unreachablePlaces.remove(place),
      failed(place, operation, error) {
        unreachablePlaces.add(place, error)
        events.fileFailed(place, operation, error)
      },
    })
    for (;;) {
      const { done, value } = await steps.next()
      if (done === true) {
        noteRoots(value)
        break
      }
      if (value !== undefined) sighted.add(await locator.sight(value))
      yield
    }
    for (const file of Array.from(registry.all())) {
      if (sighted.has(file) || deleted.has(file) || !isBelowRoots(file.path)) continue
      await locator.locate(file)
      yield
    }
  }

  function noteRoots(missing: readonly string[]): void {
    for (const root of options.roots) {
      if (missing.includes(root)) {
        if (!waitingRoots.has(root)) events.rootWaiting(root)
        waitingRoots.add(root)
      } else if (waitingRoots.delete(root)) events.rootFound(root)
    }
  }

  /** The state may know files of roots that are not given this time. */
  function isBelowRoots(path: string): boolean {
    return options.roots.some(
      (root) =>
        isWithin(path, root) ||
        // A root that is a file, under a name that rotation gave it.
        (nodePath.dirname(path) === nodePath.dirname(root) && path.startsWith(root)),
    )
  }

  /** The file's handle; opened by path, it may turn out to be another file's: `undefined` then. */
  async function handleOf(file: TrackedFile): Promise<OpenFile | undefined> {
    const known = handles.use(file)
    if (known !== undefined) return known
    const handle = await handles.open(file)
    if (locator.same(file, await handle.facts())) {
      mistaken.delete(file)
      return handle
    }
    await handles.close(file)
    return undefined
  }

  async function findAgain(file: TrackedFile): Promise<void> {
    readQueue.drop(file)
    if (mistaken.delete(file)) {
      await fail(file, 'open', new Error('its name and its handle tell of two different files'))
      return
    }
    mistaken.add(file)
    await locator.locate(file)
  }

  async function readOnce(file: TrackedFile): Promise<void> {
    let operation: FileOperation = 'open'
    try {
      const handle = await handleOf(file)
      if (handle === undefined) return await findAgain(file)
      operation = 'read'
      const rest = await reader.readSlice(file, handle, deps.now())
      if (rest === 'more') readQueue.again(file)
      else readQueue.drop(file)
      recover(file)
    } catch (error) {
      if (operation === 'open' && isMissing(error)) {
        readQueue.drop(file)
        await locator.locate(file)
      } else await fail(file, operation, error)
    }
  }

  async function pollOne(file: TrackedFile): Promise<void> {
    try {
      const facts = await handles.get(file)?.facts()
      if (facts === undefined) return
      const quiet = deps.now() - (file.lastReadMs ?? 0) > options.coldAfterMs
      if (needsLook(file, facts)) readQueue.offer(file, facts)
      else if (deleted.has(file)) {
        // Whoever has it open may still write; but deleted files must not use up the handles.
        if (quiet || deleted.size > options.maxOpenFiles / 2) await locator.forget(file)
      } else if (facts.links === 0) deleted.add(file)
      else if (quiet) await handles.close(file)
      else if (file.missingSinceMs === undefined && !(await locator.leadsTo(file.path, file)))
        await locator.locate(file)
    } catch (error) {
      await fail(file, 'stat', error)
    }
  }

  function conditionOf(file: TrackedFile): FileCondition {
    if (failures.has(file)) return 'failing'
    if (file.rotated) return 'rotated'
    return handles.get(file) === undefined ? 'cold' : 'hot'
  }

  return {
    async scan(stop = () => false) {
      underway ??= wholeScan()
      for (;;) {
        const { done } = await underway.next()
        if (done === true) {
          underway = undefined
          return true
        }
        if (stop()) return false
      }
    },
    async look(path) {
      try {
        const sighting = await traceAt(fs, path, options.roots, options)
        if (sighting !== undefined) return void (await locator.sight(sighting))
      } catch (error) {
        if (!isMissing(error)) return events.fileFailed(path, 'stat', error)
      }
      for (const file of registry.at(path)) await locator.locate(file)
    },
    async poll() {
      for (const file of handles.files()) await pollOne(file)
      for (const file of failures.due()) await locator.locate(file)
    },
    async drain(stop = () => false) {
      for (let turns = readQueue.turns(); turns.length > 0; turns = readQueue.turns()) {
        for (const file of turns) {
          if (stop()) return false
          await deps.beforeSlice()
          await readOnce(file)
        }
      }
      return true
    },
    hasTransientFailures: () => failures.anyTransient() || unreachablePlaces.anyTransient(),
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
    roots: () =>
      options.roots.map((path) => ({ path, state: waitingRoots.has(path) ? 'waiting' : 'watching' })),
  }
}
