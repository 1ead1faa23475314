import type { FileFacts } from './file-system.ts'
import type { Failures } from './failures.ts'
import { needsLook, type TrackedFile } from './tracked-file.ts'

/** Files in which there may be something to read, in the order of their turns. */
export interface ReadQueue {
  /** Adds the file if the facts say that there may be something to read, unless it is backing off after a failure. */
  offer(file: TrackedFile, facts: FileFacts): void
  /** The file's turn is over, with more to read: it goes to the end of the queue, so that turns are fair. */
  again(file: TrackedFile): void
  drop(file: TrackedFile): void
  /** The queue: first the files from before, then those offered since, older content first. */
  turns(): readonly TrackedFile[]
}

/** If a build is spread over two files, the older one is read first: its entries come in order more often. */
const olderFirst = ([, a]: [TrackedFile, bigint], [, b]: [TrackedFile, bigint]): number =>
  a < b ? -1 : Number(a > b)

/** `onReachable` is called for a file that could be looked at and holds nothing to read. */
export function createReadQueue(
  failures: Failures<TrackedFile>,
  onReachable: (file: TrackedFile) => void,
): ReadQueue {
  const queue = new Set<TrackedFile>()
  const offered = new Map<TrackedFile, bigint>()
  return {
    offer(file, facts) {
      file.noteSize(facts.size)
      if (!needsLook(file, facts)) onReachable(file)
      else if (!failures.isBackingOff(file) && !queue.has(file)) offered.set(file, facts.modifiedNs)
    },
    again(file) {
      queue.delete(file)
      queue.add(file)
    },
    drop(file) {
      queue.delete(file)
      offered.delete(file)
    },
    turns() {
      for (const [file] of [...offered].sort(olderFirst)) queue.add(file)
      offered.clear()
      return [...queue]
    },
  }
}
