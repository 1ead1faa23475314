import type { Clock } from './clock.ts'
import type { Durable } from './state/durable.ts'
import type { Events } from './events.ts'

export interface CommitsDeps {
  readonly commit: (parts: readonly Durable[]) => void
  readonly parts: readonly Durable[]
  readonly events: Events
  readonly clock: Clock
  readonly onCommit: (seconds: number) => void
  /** Whether a commit may wait longer, because nothing is shown yet. */
  readonly mayWait?: () => boolean
  /** Whether there is so much to write that a commit should not wait at all. */
  readonly isMuch?: () => boolean
}

export interface Commits {
  /** Writes everything that has changed; returns `false` if the state cannot be written. Never throws. */
  commit(): boolean
  /** True if the last commit is so long ago, or so much has changed since, that reading should commit. */
  due(): boolean
  /** True if the last commit reached the disk. */
  durable(): boolean
  /** The error of the last commit, if it failed. */
  fault(): string | undefined
}

/** Bounds what is read again after a crash. Correctness does not depend on it. */
const COMMIT_EVERY_MS = 1_000
/** Builds that change often are written once in so long, and most of the recent builds of that time not at all. */
const PATIENCE_MS = 5_000

/** Commits all parts of the state together and remembers whether that succeeded. */
export function createCommits(deps: CommitsDeps): Commits {
  const { commit, parts, events, clock, onCommit, mayWait = () => false, isMuch = () => false } = deps
  let lastMs = clock.monotonicMs()
  let fault: Error | undefined
  return {
    commit() {
      const startedMs = clock.monotonicMs()
      lastMs = startedMs
      try {
        commit(parts)
      } catch (error) {
        const failed = error instanceof Error ? error : new Error(String(error))
        if (fault === undefined) events.commitFailed(failed)
        fault = failed
        return false
      }
      if (fault !== undefined) events.commitRecovered()
      fault = undefined
      onCommit((clock.monotonicMs() - startedMs) / 1000)
      return true
    },
    due() {
      return clock.monotonicMs() - lastMs >= (mayWait() ? PATIENCE_MS : COMMIT_EVERY_MS) || isMuch()
    },
    durable: () => fault === undefined,
    fault: () => fault?.message,
  }
}
