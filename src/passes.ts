import type { Clock } from './clock.ts'
import type { Commits } from './commits.ts'
import type { Events } from './events.ts'
import type { Pipeline } from './pipeline.ts'
import type { Registry } from './tail/registry.ts'
import type { Tail } from './tail/tail.ts'

export interface PassesDeps {
  readonly tail: Tail
  readonly pipeline: Pipeline
  readonly registry: Registry
  readonly commits: Commits
  readonly events: Events
  readonly clock: Clock
  /** Waits before a failed commit or a file that failed is tried again. */
  readonly waitToRetry: () => Promise<void>
  /** True once reading must stop. */
  readonly stopped: () => boolean
}

/** The first and the last look at all files; between them, the loop follows what grows. */
export interface Passes {
  /**
   * Reads and commits everything that is in the files. Never rejects; ends early when stopped. Before it ends it waits
   * up to half a minute for `watching` to resolve: from then on every file is watched.
   */
  firstPass(watching?: Promise<void>): Promise<void>
  /** Whether the first pass has ended. */
  ready(): boolean
  /**
   * Reads and commits everything that is in the files, after the last round. If `closeBuilds`, every open build is then
   * over. False if something could not be read or committed before it was stopped: builds then stay open, because a
   * verdict may be in what was not read.
   */
  finish(closeBuilds: boolean): Promise<boolean>
}

/** Retries during a pass, about one per second. */
const RETRIES = 30
const PATIENCE_MS = 30_000

export function createPasses(deps: PassesDeps): Passes {
  const { tail, pipeline, clock, stopped } = deps
  let ready = false

  async function firstPass(watching = Promise.resolve()): Promise<void> {
    const startedMs = clock.monotonicMs()
    const startedWallMs = clock.wallMs()
    await tail.scan(stopped)
    await tail.drain(stopped)
    await retryTransientFailures(deps)
    await untilWatching(watching, deps)
    if (stopped()) return
    pipeline.endFirstPass(startedWallMs)
    if (!(await commitUnlessStopped(deps))) return
    ready = true
    deps.events.caughtUp(deps.registry.count(), (clock.monotonicMs() - startedMs) / 1000)
  }

  return {
    firstPass,
    ready: () => ready,
    async finish(closeBuilds) {
      if (!ready) await firstPass()
      // The first scan may only end one that began earlier.
      await tail.scan(stopped)
      await tail.scan(stopped)
      await tail.poll()
      await tail.drain(stopped)
      await retryTransientFailures(deps)
      const isAllRead = ready && !stopped() && !tail.hasTransientFailures()
      if (closeBuilds && isAllRead) pipeline.closeBuilds(clock.wallMs())
      return (await commitUnlessStopped(deps)) && isAllRead
    },
  }
}

async function commitUnlessStopped({ commits, stopped, waitToRetry }: PassesDeps): Promise<boolean> {
  while (!commits.commit()) {
    if (stopped()) return false
    await waitToRetry()
  }
  return true
}

/** Content that is read before the baseline ends is history; later it would be an increase. */
async function retryTransientFailures({ tail, clock, stopped, waitToRetry }: PassesDeps): Promise<void> {
  const untilMs = clock.monotonicMs() + PATIENCE_MS
  for (let i = 0; i < RETRIES && clock.monotonicMs() < untilMs; i++) {
    if (!tail.hasTransientFailures() || stopped()) return
    await waitToRetry()
    await tail.scan(stopped)
    await tail.drain(stopped)
  }
}

/** Watchers that never come into place must not keep the exporter from its work. */
async function untilWatching(watching: Promise<void>, { stopped, waitToRetry }: PassesDeps): Promise<void> {
  const inPlace = watching.then(() => true)
  for (let i = 0; i < RETRIES && !stopped(); i++)
    if (await Promise.race([inPlace, waitToRetry().then(() => false)])) return
}
