import nodePath from 'node:path'
import type { Locator } from './locator.ts'
import type { Parts } from './parts.ts'
import type { Extent } from './rotation.ts'
import { besideRoot } from './at-path.ts'
import { walk } from './scan.ts'
import { isWithin } from './within-roots.ts'
import type { WalkEvents } from './sightings.ts'
import type { Settled } from './settled.ts'
import type { TrackedFile } from './tracked-file.ts'
import type { Unseen } from './unseen.ts'

/**
 * One look at everything below the roots, of what is settled at all or at what is due. It can be paused after each file
 * or directory. A file that is not found by its name is looked for by what it is; what nobody knows is judged by
 * `unseen`. Returns since when something may not have been found, by the wall clock.
 */
export async function* sweep(
  parts: Parts,
  locator: Locator,
  unseen: Unseen,
  settled: Settled,
  waitingRoots: Set<string>,
  extent: Extent,
): AsyncGenerator<void, number> {
  const { fs, registry, handles, options, siblings } = parts
  const beganMs = parts.now()
  const sighted = new Set<TrackedFile>()
  unseen.begin()
  yield* settled.glance(extent)
  const steps = walk(fs, options.roots, options, walkEvents(parts, settled))
  for (;;) {
    const { done, value } = await steps.next()
    if (done === true) {
      noteRoots(parts, waitingRoots, value)
      break
    }
    if (value !== undefined && 'path' in value) sighted.add(await locator.sight(value))
    else if (value !== undefined && 'names' in value)
      for (const file of await unseen.look(value)) sighted.add(file)
    else if (value !== undefined) await settled.note(value)
    yield
  }
  for (const root of options.roots) {
    const beside = isFileRoot(parts, waitingRoots, root) ? await besideRoot(fs, root) : undefined
    if (beside !== undefined) for (const file of await unseen.look(beside)) sighted.add(file)
  }
  for (const file of Array.from(registry.all())) {
    if (file.rests || sighted.has(file) || handles.isDeleted(file)) continue
    if (!isBelowRoots(options.roots, file.path)) continue
    await locator.locate(file)
    yield
  }
  siblings.prune()
  const sinceMs = Math.min(beganMs, settled.lookedSinceMs())
  if (!parts.unreachable.anyTransient()) unseen.complete(sinceMs)
  return sinceMs
}

/** Further ones are not reported: a tree may have any number of links. */
const MAX_SKIPPED = 1_000

function walkEvents({ unreachable, events, siblings, skipped, now }: Parts, settled: Settled): WalkEvents {
  return {
    now,
    unchanged: (directory) => settled.unchanged(directory),
    skipped(place, reason) {
      if (skipped.has(place) || skipped.size >= MAX_SKIPPED) return
      skipped.add(place)
      events.pathSkipped(place, reason)
    },
    isBackingOff: (place) => unreachable.isBackingOff(place),
    reachable: (place) => void unreachable.remove(place),
    entered: (directory, modifiedNs) => siblings.noteTime(directory, modifiedNs),
    failed(place, operation, error) {
      unreachable.add(place, error)
      events.fileFailed(place, operation, error)
    },
  }
}

/** A root that does not exist is taken for a file if it was one, or has a trace's extension. */
function isFileRoot({ registry }: Parts, waitingRoots: ReadonlySet<string>, root: string): boolean {
  if (registry.at(root).length > 0) return true
  return waitingRoots.has(root) && nodePath.extname(root) === '.jsonl'
}

function noteRoots({ options, events }: Parts, waiting: Set<string>, missing: readonly string[]): void {
  for (const root of options.roots) {
    if (missing.includes(root)) {
      if (!waiting.has(root)) events.rootWaiting(root)
      waiting.add(root)
    } else if (waiting.delete(root)) events.rootFound(root)
  }
}

/** The state may know files of roots that are not given this time. */
const isBelowRoots = (roots: readonly string[], path: string): boolean =>
  roots.some(
    (root) =>
      isWithin(path, root) ||
      // A root that is a file, under a name that rotation gave it.
      (nodePath.dirname(path) === nodePath.dirname(root) && path.startsWith(root)),
  )
