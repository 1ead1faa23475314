import nodePath from 'node:path'
import { traceAt } from './at-path.ts'
import { isMissing } from './file-system.ts'
import { createLocator, type Locator } from './locator.ts'
import { createParts, type Parts, type PartsDeps, type TailOptions } from './parts.ts'
import { rotatedKind } from './names.ts'
import { createPoll } from './polls.ts'
import type { Reader } from './reader.ts'
import type { Extent } from './rotation.ts'
import { createSettled } from './settled.ts'
import { sweep } from './sweep.ts'
import { lagBytes, pendingBytes, type TrackedFile } from './tracked-file.ts'
import { createTurns } from './turn.ts'
import { createUnseen, type Unseen } from './unseen.ts'
import { isWithin } from './within-roots.ts'

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
  const pollOpen = createPoll(parts, locator)
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
      await pollOpen(extent)
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

function conditionOf({ failures, handles }: Parts, file: TrackedFile): FileCondition {
  if (failures.has(file)) return 'failing'
  if (file.rotated) return 'rotated'
  return handles.get(file) === undefined ? 'cold' : 'hot'
}
