import { codeOf } from './file-system.ts'

const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 60_000

interface Failure {
  readonly delayMs: number
  readonly retryAtMs: number
  readonly passing: boolean
}

/** What could not be read or listed, each with the time from which on it is tried again. */
export interface Failures<T> {
  /** Doubles the delay where it is not the first time. */
  add(item: T, error: unknown): void
  /** Whether it was there. */
  remove(item: T): boolean
  has(item: T): boolean
  /** Whether it is too early to try again. */
  waits(item: T): boolean
  /** What is to be tried again now. */
  due(): readonly T[]
  /** Whether any failure may pass by itself, as want of handles does and want of permission does not. */
  passing(): boolean
}

const LASTING = new Set(['EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EILSEQ'])

/** Backs off for each item, by a clock that never jumps: a retry must not wait for one that was set back. */
export function createFailures<T>(monotonicMs: () => number): Failures<T> {
  const failures = new Map<T, Failure>()
  return {
    add(item, error) {
      const before = failures.get(item)
      const delayMs = before === undefined ? FIRST_RETRY_MS : Math.min(before.delayMs * 2, LAST_RETRY_MS)
      const passing = !LASTING.has(codeOf(error))
      failures.set(item, { delayMs, retryAtMs: monotonicMs() + delayMs, passing })
    },
    remove: (item) => failures.delete(item),
    has: (item) => failures.has(item),
    waits(item) {
      const failure = failures.get(item)
      return failure !== undefined && failure.retryAtMs > monotonicMs()
    },
    due: () => [...failures].filter(([, { retryAtMs }]) => retryAtMs <= monotonicMs()).map(([item]) => item),
    passing: () => [...failures.values()].some((failure) => failure.passing),
  }
}
