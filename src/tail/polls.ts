import { factsOfAll } from './file-system.ts'
import type { Locator } from './locator.ts'
import type { Parts } from './parts.ts'
import type { Extent } from './rotation.ts'
import { needsLook, type TrackedFile } from './tracked-file.ts'

/** Looks at the files that are open; with `due`, at those whose turn it is. */
export type Poll = (extent: Extent) => Promise<void>

export function createPoll(parts: Parts, locator: Locator): Poll {
  const turns = createTurns()
  return async (extent) => {
    const open = parts.handles.files()
    const files = extent === 'all' ? open : turns.next(open)
    for (const file of await restless(parts, files)) await pollOne(parts, locator, file)
  }
}

/** So many open files are looked at in one poll. */
const POLLED = 200

/** Open files in turn. */
function createTurns(): { next(open: readonly TrackedFile[]): readonly TrackedFile[] } {
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
