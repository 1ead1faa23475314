import { setTimeout as timer } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import type { PushSource } from '../metrics/push-source.ts'
import type { Exporter, Outcome } from './exporter.ts'
import type { PushLog } from './push-log.ts'
import type { PushMetrics } from './push-metrics.ts'
import { noAnswer } from './reason.ts'

export interface PushDeps {
  readonly source: Pick<PushSource, 'collect' | 'shown'>
  readonly exporter: Exporter
  readonly metrics: PushMetrics
  readonly log: PushLog
  /** Called with each error of a self-metric. */
  readonly onSelfFault: (error: unknown) => void
  readonly clock: Clock
  /** Resolves after so many milliseconds, or when the signal is aborted. Default: a timer. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>
}

export interface PushTiming {
  readonly intervalMs: number
  readonly exportTimeoutMs: number
}

export interface Push {
  /** Pushes now, and from then on at every interval. Call it once the first pass is done. */
  begin(): void
  /**
   * Stops the regular exports, and exports until everything that is committed was accepted: new series first at their
   * base, then with their value. Returns whether that succeeded before the deadline, by the monotonic clock.
   */
  flush(deadlineMs: number): Promise<boolean>
  /** Stops the regular exports. */
  close(): void
}

/** Between two exports at the end: no two have the same millisecond, which a receiver would take for a duplicate. */
const GAP_MS = 2
const RETRY_MS = 250
/** At the end an endpoint that does not answer is asked again on another connection, but not more often than this. */
const MIN_ATTEMPT_MS = 500

/** Pushes what is committed, one export after the other. Reading and scrapes never wait for it. */
export function createPush(deps: PushDeps, timing: PushTiming): Push {
  const { source, clock, wait = timerOrSignal } = deps
  const ended = new AbortController()

  async function run(): Promise<void> {
    while (!ended.signal.aborted) {
      const startedMs = clock.monotonicMs()
      await attempt(deps, timing.exportTimeoutMs)
      const leftMs = startedMs + timing.intervalMs - clock.monotonicMs()
      // An export that takes longer than the interval delays the next one, never by nothing: others need the processor.
      await wait(Math.max(leftMs, GAP_MS), ended.signal)
    }
  }

  return {
    begin: () => void run(),
    async flush(deadlineMs) {
      ended.abort()
      const never = new AbortController().signal
      for (;;) {
        const leftMs = deadlineMs - clock.monotonicMs()
        if (leftMs <= 0) break
        const patienceMs = Math.min(timing.exportTimeoutMs, Math.max(leftMs / 2, MIN_ATTEMPT_MS))
        const isAccepted = await attempt(deps, Math.min(patienceMs, leftMs))
        if (source.shown().unshownSeries === 0) {
          deps.log.flushed()
          return true
        }
        await wait(isAccepted ? GAP_MS : RETRY_MS, never)
      }
      const { unshownSeries, unshownEntries } = source.shown()
      deps.log.notFlushed(unshownSeries, unshownEntries)
      return false
    },
    close: () => ended.abort(),
  }
}

/** Makes one export and returns whether it was accepted. Never rejects. */
async function attempt(deps: PushDeps, timeoutMs: number): Promise<boolean> {
  const outcome = await exportOnce(deps, timeoutMs)
  deps.metrics.exported(outcome.result, deps.clock.wallMs())
  deps.log.outcome(outcome)
  return outcome.result !== 'failed'
}

async function exportOnce({ source, exporter, onSelfFault }: PushDeps, timeoutMs: number): Promise<Outcome> {
  try {
    const { resourceMetrics, received, selfFaults } = await source.collect()
    for (const error of selfFaults) onSelfFault(error)
    const exporting = exporter.export(resourceMetrics).then((outcome) => {
      // Also if it comes late. Points that were rejected are no reason to wait: they would be rejected again, and the
      // value of every other new series would wait with them.
      if (outcome.result !== 'failed') received()
      return outcome
    })
    return await orNoAnswer(exporting, timeoutMs)
  } catch (error) {
    return {
      result: 'failed',
      cause: String(error),
      advice: 'This is a fault of the exporter; please report it.',
    }
  }
}

/** The outcome, or after `ms` that there was none in time. */
async function orNoAnswer(exporting: Promise<Outcome>, ms: number): Promise<Outcome> {
  const answered = new AbortController()
  const impatience = timerOrSignal(ms, answered.signal).then((): Outcome => ({
    result: 'failed',
    ...noAnswer(ms),
  }))
  try {
    return await Promise.race([exporting, impatience])
  } finally {
    answered.abort()
  }
}

async function timerOrSignal(ms: number, signal: AbortSignal): Promise<void> {
  await timer(ms, undefined, { signal }).catch(() => undefined)
}
