import type { TrackedFile } from './tracked-file.ts'

const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 60_000

interface Failure {
  readonly delayMs: number
  readonly retryAtMs: number
}

/** Files that could not be read, each with the time from which on it is tried again. */
export interface Failures {
  /** Doubles the delay where it is not the first time. */
  add(file: TrackedFile): void
  /** Whether it was there. */
  remove(file: TrackedFile): boolean
  has(file: TrackedFile): boolean
  /** Whether it is too early to try again. */
  waits(file: TrackedFile): boolean
  /** Files to be tried again now. */
  due(): readonly TrackedFile[]
}

/** Backs off per file, by a clock that never jumps: a retry must not wait for one that was set back. */
export function createFailures(monotonicMs: () => number): Failures {
  const failures = new Map<TrackedFile, Failure>()
  return {
    add(file) {
      const before = failures.get(file)
      const delayMs = before === undefined ? FIRST_RETRY_MS : Math.min(before.delayMs * 2, LAST_RETRY_MS)
      failures.set(file, { delayMs, retryAtMs: monotonicMs() + delayMs })
    },
    remove: (file) => failures.delete(file),
    has: (file) => failures.has(file),
    waits(file) {
      const failure = failures.get(file)
      return failure !== undefined && failure.retryAtMs > monotonicMs()
    },
    due: () => [...failures].filter(([, { retryAtMs }]) => retryAtMs <= monotonicMs()).map(([file]) => file),
  }
}
