import { factsOfAll, isMissing } from './file-system.ts'
import { createLocator, type Locator } from './locator.ts'
import { createParts, type Parts, type PartsDeps, type TailOptions } from './parts.ts'
import type { Reader } from './reader.ts'
import { rotatedKind } from './names.ts'
import type { Extent } from './rotation.ts'
import { isWithin, traceAt } from './scan.ts'
import { createSettled } from './settled.ts'
import { sweep } from './sweep.ts'
import { lagBytes, needsLook, pendingBytes, type TrackedFile } from './tracked-file.ts'
import { createTurns } from './turn.ts'
import { createUnseen, type Unseen } from './unseen.ts'
import nodePath from 'node:path'

export interface TailDeps extends PartsDeps {
  readonly reader: Reader
  /**
   * Awaited before each slice, and after each look that has found new files or renames: commits what is due, and these
   * at once, so that nothing is read of a file that a crash would make unknown. Holds reading back while the state
   * cannot be written.
   */
  readonly makeDurable: () => Promise<void>
}

/** A first pass over very many files commits as many of them at once. */
const IDENTITIES_AT_ONCE = 1_000
const ANY_TIME = -1n

type FileCondition = 'hot' | 'cold' | 'rotated' | 'failing'

export interface FileStatus {
  readonly file: TrackedFile
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
   * Looks at everything below the roots, or as far as it gets until `stop` says so; the next call goes on from there,
   * whatever its extent. With `due`, of the directories that are over only those whose turn it is. Says whether it came
   * to the end.
   */
  scan(stop?: () => boolean, extent?: Extent): Promise<boolean>
  /** What was in the files at this time, by the wall clock, has been found by the scans that came to their end. */
  foundUpToMs(): number
  /** Looks at one path that something happened to. */
  look(path: string): Promise<void>
  /** Looks at the files that are open; with `due`, at those whose turn it is. */
  poll(extent?: Extent): Promise<void>
  /**
   * Reads what the looks have found, a slice of each file in turn, until nothing is left or `stop` says so.
   * Says whether nothing is left.
   */
  drain(stop?: () => boolean): Promise<boolean>
  /** Whether something could not be looked at or read for a transient reason. */
  hasTransientFailures(): boolean
  /** Closes every file. */
  close(): Promise<void>
  status(): Iterable<FileStatus>
  roots(): readonly { path: string; state: 'watching' | 'waiting' }[]
}

export function createTail(deps: TailDeps, options: TailOptions): Tail {
  const parts = createParts(deps, options)
  const locator = createLocator(parts)
  const unseen = createUnseen(parts, locator)
  const settled = createSettled(parts)
  const turns = createTurns(parts, locator, deps.reader)
  const { registry, handles, failures, unreachable, queue, siblings } = parts
  const polls = createPolls()
  const waitingRoots = new Set<string>()
  let underway: AsyncGenerator<void, number> | undefined
  let foundUpToMs = Number.NEGATIVE_INFINITY

  /** New files and renames are durable before anything else happens to them. */
  async function keep(): Promise<void> {
    if (registry.newIdentities() > 0) await deps.makeDurable()
  }

  return {
    async scan(stop = () => false, extent = 'all') {
      siblings.begin()
      underway ??= sweep(parts, locator, unseen, settled, waitingRoots, extent)
      for (;;) {
        const { done, value } = await underway.next()
        if (done === true) {
          underway = undefined
          foundUpToMs = value
          await keep()
          return true
        }
        if (registry.newIdentities() >= IDENTITIES_AT_ONCE) await keep()
        if (stop()) {
          await keep()
          return false
        }
      }
    },
    foundUpToMs: () => foundUpToMs,
    async look(path) {
      siblings.begin()
      await look(parts, locator, unseen, path)
      await keep()
    },
    async poll(extent = 'all') {
      siblings.begin()
      const files = extent === 'all' ? handles.files() : polls.next(handles.files())
      for (const file of await restless(parts, files)) await pollOne(parts, locator, file)
      for (const file of failures.due()) await locator.locate(file)
      await keep()
    },
    async drain(stop = () => false) {
      try {
        for (let files = queue.turns(); files.length > 0; files = queue.turns()) {
          for (const [i, file] of files.entries()) {
            if (stop()) return false
            await deps.makeDurable()
            turns.prepare(files, i)
            await turns.take(file)
          }
        }
        return true
      } finally {
        await turns.end()
      }
    },
    hasTransientFailures: () => failures.anyTransient() || unreachable.anyTransient(),
    close: () => handles.closeAll(),
    *status() {
      for (const file of registry.all()) {
        yield {
          file,
          condition: conditionOf(parts, file),
          pendingBytes: pendingBytes(file),
          lagBytes: lagBytes(file),
        }
      }
    },
    roots: () =>
      options.roots.map((path) => ({ path, state: waitingRoots.has(path) ? 'waiting' : 'watching' })),
  }
}

async function look(parts: Parts, locator: Locator, unseen: Unseen, path: string): Promise<void> {
  const { fs, options, events, registry } = parts
  try {
    const sighting = await traceAt(fs, path, options.roots, options)
    if (sighting !== undefined) return void (await locator.sight(sighting))
    await lookBeside(parts, unseen, path)
  } catch (error) {
    if (!isMissing(error)) return events.fileFailed(path, 'stat', error)
  }
  for (const file of registry.at(path)) await locator.locate(file)
}

/** The path has a rotated name: what stands there may never have been seen under the watched one. */
async function lookBeside({ options }: Parts, unseen: Unseen, path: string): Promise<void> {
  const directory = nodePath.dirname(path)
  const name = nodePath.basename(path)
  for (const root of options.roots) {
    const isBesideRoot = nodePath.dirname(root) === directory && !isWithin(path, root)
    if (!isBesideRoot && !isWithin(path, root)) continue
    const watchedName = isBesideRoot ? nodePath.basename(root) : options.fileName
    if (rotatedKind(name, watchedName) === undefined) continue
    await unseen.look({ directory, modifiedNs: ANY_TIME, root, watchedName, names: [name] })
  }
}

/** So many open files are looked at in one poll. */
const POLLED = 200

/** Open files in turn. */
function createPolls(): { next(open: readonly TrackedFile[]): readonly TrackedFile[] } {
  const turns = new Set<TrackedFile>()
  return {
    next(open) {
      if (open.length <= POLLED) return open
      const isOpen = new Set(open)
      for (const file of turns) if (!isOpen.has(file)) turns.delete(file)
      for (const file of open) turns.add(file)
      const next = [...turns].slice(0, POLLED)
      for (const file of next) {
        turns.delete(file)
        turns.add(file)
      }
      return next
    },
  }
}

/** Those among the open files that have changed, are not at their path any more, or are to be closed. */
async function restless(parts: Parts, files: readonly TrackedFile[]): Promise<TrackedFile[]> {
  const { fs, registry, handles } = parts
  const facts = await factsOfAll(
    fs,
    files.map((file) => file.path),
  )
  return files.filter((file, i) => {
    const there = facts[i]
    if (there === undefined || registry.find(there) !== file || needsLook(file, there)) return true
    return handles.isDeleted(file) || file.missingSinceMs !== undefined || isQuiet(parts, file)
  })
}

const isQuiet = ({ now, options }: Parts, file: TrackedFile): boolean =>
  now() - (file.lastReadMs ?? 0) > options.coldAfterMs

async function pollOne(parts: Parts, locator: Locator, file: TrackedFile): Promise<void> {
  const { handles, queue } = parts
  try {
    const facts = await handles.get(file)?.facts()
    if (facts === undefined) return
    const quiet = isQuiet(parts, file)
    if (needsLook(file, facts)) queue.offer(file, facts)
    else if (handles.isDeleted(file)) {
      // Whoever has it open may still write; but deleted files must not use up the handles.
      if (quiet || handles.tooManyDeleted()) await locator.forget(file)
    } else if (facts.links === 0) locator.noteDeleted(file, facts)
    else if (quiet) await handles.close(file)
    else if (file.missingSinceMs === undefined && !(await locator.leadsTo(file.path, file)))
      await locator.locate(file)
  } catch (error) {
    await parts.fail(file, 'stat', error)
  }
}

function conditionOf({ failures, handles }: Parts, file: TrackedFile): FileCondition {
  if (failures.has(file)) return 'failing'
  if (file.rotated) return 'rotated'
  return handles.get(file) === undefined ? 'cold' : 'hot'
}
