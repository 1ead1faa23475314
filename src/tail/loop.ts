import type { Clock } from '../clock.ts'
import type { Hints } from './hints.ts'
import type { ReadRequests } from './read-requests.ts'
import type { Extent } from './rotation.ts'
import type { Tail } from './tail.ts'

/** Waits until there may be something to read. */
export interface Waker {
  /** Resolves after `ms`, or as soon as `wake` is called, whichever comes first. */
  wait(ms: number): Promise<void>
  wake(): void
  /** Resolves after `ms`, whether woken or not, or as soon as `hurry` is called. */
  rest(ms: number): Promise<void>
  /** Ends a rest or a wait. */
  hurry(): void
}

export function createWaker(): Waker {
  const waiting = createPause()
  const resting = createPause()
  let woken = false
  return {
    async wait(ms) {
      if (!woken) await waiting.pass(ms)
      woken = false
    },
    wake() {
      woken = true
      waiting.end()
    },
    rest: (ms) => resting.pass(ms),
    hurry() {
      resting.end()
      waiting.end()
    },
  }
}

function createPause(): { pass(ms: number): Promise<void>; end(): void } {
  let end: (() => void) | undefined
  return {
    async pass(ms) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, ms)
      end = resolve
      await promise
      end = undefined
      clearTimeout(timer)
    },
    end: () => end?.(),
  }
}

export interface LoopDeps {
  readonly tail: Tail
  readonly clock: Clock
  readonly waker: Waker
  readonly signal: AbortSignal
  readonly hints: Hints
  /** Whether somebody asked for a scan of everything since the last call; comes with a `wake`. */
  readonly rescanRequested?: () => boolean
  /** Whoever makes one also ends a rest or a wait. */
  readonly readRequests: Pick<ReadRequests, 'any' | 'take'>
  /** After each round of looking and reading. */
  readonly afterRound: (round: Round) => void
}

/** What one round has looked at and read. */
export interface Round {
  /** Everything that has been found to read is read. */
  readonly drained: boolean
  /** If a scan came to its end in this round: what was in the files at this time has been found. Wall clock. */
  readonly foundUpToMs: number | undefined
}

export interface LoopOptions {
  readonly pollMs: number
  readonly scanMs: number
  /** How often what has grown cold loses its watchers. */
  readonly renewHintsMs: number
}

/** A busy writer must not keep us looking at every single line. A scrape ends it: it shows what was appended before it. */
const REST_MS = 50
/** A scan may take this share of its interval; one that takes longer stretches the interval to `SCAN_STRETCH` times as long. */
const SCAN_SHARE = 1 / 5
const SCAN_STRETCH = 10
/** A scan of very many files pauses after this long for what is known to have grown. */
const SCAN_PORTION_MS = 200

/** Looks, reads and waits until the signal says stop. Hints shorten the wait, nothing else. */
export async function runLoop(deps: LoopDeps, options: LoopOptions): Promise<void> {
  const { tail, clock, waker, signal, hints, readRequests } = deps
  const stop = (): boolean => signal.aborted
  signal.addEventListener('abort', () => waker.wake(), { once: true })
  const scans = createScans(deps, options)
  let nextPollMs = 0
  let nextRenewMs = clock.monotonicMs() + options.renewHintsMs
  while (!stop()) {
    const answerRequests = readRequests.take()
    for (const path of hints.take()) {
      if (stop()) break
      await tail.look(path)
    }
    const startedMs = clock.monotonicMs()
    if (deps.rescanRequested?.() === true) {
      scans.request()
      nextPollMs = startedMs
      nextRenewMs = startedMs
    }
    if (startedMs >= nextPollMs) {
      await tail.poll('due')
      nextPollMs = clock.monotonicMs() + options.pollMs
    }
    if (hints.takeReady()) scans.request()
    const foundUpToMs = await scans.portion()
    if (startedMs >= nextRenewMs) {
      hints.renew()
      nextRenewMs = clock.monotonicMs() + options.renewHintsMs
    }
    // However much there is to read: new files, hints and time-outs must not wait for the end of it.
    const drainUntilMs = clock.monotonicMs() + options.pollMs
    const drained = await tail.drain(() => stop() || clock.monotonicMs() >= drainUntilMs)
    deps.afterRound({ drained, foundUpToMs })
    answerRequests()
    if (!drained || scans.underway()) continue
    if (!readRequests.any() && !stop()) await waker.rest(REST_MS)
    if (!hints.any() && !readRequests.any() && !stop())
      await waker.wait(Math.max(0, nextPollMs - clock.monotonicMs()))
  }
}

interface Scans {
  /** Scans for a while if a scan is due; at its end, returns up to when everything has been found, by the wall clock. */
  portion(): Promise<number | undefined>
  underway(): boolean
  /** Makes a scan of everything due now; while one is underway, another one after it. */
  request(): void
}

function createScans({ tail, clock, signal }: LoopDeps, { scanMs }: LoopOptions): Scans {
  let nextMs = clock.monotonicMs() + scanMs
  let underway: Extent | undefined
  let tookMs = 0
  let requested = false
  return {
    async portion() {
      const startedMs = clock.monotonicMs()
      if (startedMs < nextMs) return undefined
      if (underway === undefined) {
        underway = requested ? 'all' : 'due'
        requested = false
      }
      const ended = await tail.scan(
        () => signal.aborted || clock.monotonicMs() - startedMs >= SCAN_PORTION_MS,
        underway,
      )
      tookMs += clock.monotonicMs() - startedMs
      if (!ended) return undefined
      nextMs =
        clock.monotonicMs() + (requested ? 0 : tookMs <= scanMs * SCAN_SHARE ? scanMs : tookMs * SCAN_STRETCH)
      underway = undefined
      tookMs = 0
      return tail.foundUpToMs()
    },
    underway: () => underway !== undefined,
    request() {
      requested = true
      nextMs = clock.monotonicMs()
    },
  }
}
