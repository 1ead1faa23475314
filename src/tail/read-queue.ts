import type { FileFacts } from './file-system.ts'
import type { Failures } from './failures.ts'
import { needsLook, type TrackedFile } from './tracked-file.ts'

/** Files in which something may be read, in the order in which their turn comes. */
export interface ReadQueue {
  /** Takes the file in where the facts say that there may be something to read, unless it failed and has to wait. */
  offer(file: TrackedFile, facts: FileFacts): void
  /** The file's turn is over, with more to read: to the end of the queue, so that who waited longest comes first. */
  again(file: TrackedFile): void
  drop(file: TrackedFile): void
  /** Those whose turn it is: first the ones from before, then what was offered since, older content first. */
  turns(): readonly TrackedFile[]
}

/** Of a build that is spread over two files the older one is read first: its entries come in order more often. */
const olderFirst = ([, a]: [TrackedFile, bigint], [, b]: [TrackedFile, bigint]): number =>
  a < b ? -1 : Number(a > b)

/** A file with nothing to read is no longer a failing one: `onReachable` hears of it. */
export function createReadQueue(
  failures: Failures<TrackedFile>,
  onReachable: (file: TrackedFile) => void,
): ReadQueue {
  const queue = new Set<TrackedFile>()
  const offered = new Map<TrackedFile, bigint>()
  return {
    offer(file, facts) {
      file.size = facts.size
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
