import nodePath from 'node:path'
import type { Locator } from './locator.ts'
import type { Parts } from './parts.ts'
import { isWithin, walk } from './scan.ts'
import type { TrackedFile } from './tracked-file.ts'

/** One look at everything below the roots. It can be paused after each file or directory. */
export async function* sweep(
  parts: Parts,
  locator: Locator,
  waitingRoots: Set<string>,
): AsyncGenerator<void, void> {
  const { fs, registry, handles, unreachable, events, options } = parts
  const sighted = new Set<TrackedFile>()
  const steps = walk(fs, options.roots, options, {
    isBackingOff: (place) => unreachable.isBackingOff(place),
    reachable: (place) => void unreachable.remove(place),
    failed(place, operation, error) {
      unreachable.add(place, error)
      events.fileFailed(place, operation, error)
    },
  })
  for (;;) {
    const { done, value } = await steps.next()
    if (done === true) {
      noteRoots(parts, waitingRoots, value)
      break
    }
    if (value !== undefined) sighted.add(await locator.sight(value))
    yield
  }
  for (const file of Array.from(registry.all())) {
    if (sighted.has(file) || handles.isDeleted(file) || !isBelowRoots(options.roots, file.path)) continue
    await locator.locate(file)
    yield
  }
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
