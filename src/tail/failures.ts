import { codeOf } from './file-system.ts'

const FIRST_RETRY_MS = 1_000
const LAST_RETRY_MS = 60_000

interface Failure {
  readonly delayMs: number
  readonly retryAtMs: number
  readonly isTransient: boolean
}

/** Files or directories that could not be read or listed, with exponential backoff for each. */
export interface Failures<T> {
  /** Records a failure; each further one doubles the delay, up to a minute. */
  add(item: T, error: unknown): void
  /** Says whether the item had failed. */
  remove(item: T): boolean
  has(item: T): boolean
  /** Whether it is too early for another attempt. */
  isBackingOff(item: T): boolean
  /** The items whose backoff has ended. */
  due(): readonly T[]
  /** True if any failure is transient (EMFILE), not permanent (EACCES). */
  anyTransient(): boolean
}

const PERMANENT = new Set(['EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EILSEQ'])

/** The clock must be monotonic: after a wall clock was set back, a retry would wait for it to catch up. */
export function createFailures<T>(monotonicMs: () => number): Failures<T> {
  const failures = new Map<T, Failure>()
  return {
    add(item, error) {
      const before = failures.get(item)
      const delayMs = before === undefined ? FIRST_RETRY_MS : Math.min(before.delayMs * 2, LAST_RETRY_MS)
      const isTransient = !PERMANENT.has(codeOf(error))
      failures.set(item, { delayMs, retryAtMs: monotonicMs() + delayMs, isTransient })
    },
    remove: (item) => failures.delete(item),
    has: (item) => failures.has(item),
    isBackingOff(item) {
      const failure = failures.get(item)
      return failure !== undefined && failure.retryAtMs > monotonicMs()
    },
    due: () => [...failures].filter(([, { retryAtMs }]) => retryAtMs <= monotonicMs()).map(([item]) => item),
    anyTransient: () => [...failures.values()].some((failure) => failure.isTransient),
  }
}
