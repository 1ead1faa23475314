import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { counted } from '../render/format.ts'
import type { Outcome } from './exporter.ts'

export interface PushLog {
  outcome(outcome: Outcome): void
  /** Everything that is committed was pushed, at the end. */
  flushed(): void
  notFlushed(series: number, entries: number): void
}

const WINDOW_MS = 60_000

/** Logs how pushing goes: a failure at once, then at most one line per minute until it works again. */
export function createPushLog(
  log: Log,
  clock: Clock,
  { url, intervalMs }: { readonly url: string; readonly intervalMs: number },
): PushLog {
  const shownUrl = withoutSecrets(url)
  let loggedMs = Number.NEGATIVE_INFINITY
  let failures = 0

  function limited(write: () => void): void {
    if (clock.monotonicMs() - loggedMs < WINDOW_MS) return
    loggedMs = clock.monotonicMs()
    write()
  }

  function failed(cause: string, advice: string): void {
    failures++
    limited(() =>
      log.error(
        { event: 'push_failed', url: shownUrl, cause, failures },
        `Failed to push metrics to ${shownUrl}: ${cause}. ${advice} Counting goes on; the next export has the totals of this one. ` +
          `Retrying every ${intervalMs / 1000} s.`,
      ),
    )
  }

  function recovered(): void {
    if (failures === 0) return
    log.info(
      { event: 'push_recovered', url: shownUrl, failures },
      `Pushing to ${shownUrl} works again after ${counted(failures, 'failed export')}.`,
    )
    failures = 0
    loggedMs = Number.NEGATIVE_INFINITY
  }

  return {
    outcome(outcome) {
      if (outcome.result === 'failed') return failed(outcome.cause, outcome.advice)
      recovered()
      if (outcome.result === 'success') return
      const { rejectedPoints, cause } = outcome
      limited(() =>
        log.warn(
          { event: 'push_partial', url: shownUrl, rejectedPoints, cause },
          `${shownUrl} rejected ${counted(rejectedPoints, 'point')} of an export: ${cause}. Series that are rejected are missing there. ` +
            'Check the limits of the endpoint.',
        ),
      )
    },
    flushed: () =>
      log.info(
        { event: 'push_flushed', url: shownUrl },
        `Everything that is committed was pushed to ${shownUrl}.`,
      ),
    notFlushed: (series, entries) =>
      log.warn(
        { event: 'not_pushed', url: shownUrl, series, entries },
        `${counted(series, 'series', 'series')} with ${counted(entries, 'entry', 'entries')} were not pushed to ${shownUrl} before the end. ` +
          'An exporter that continues with this state pushes them. A longer --linger gives the last export more time.',
      ),
  }
}

/** A URL as it may be logged. */
export function withoutSecrets(text: string): string {
  const url = new URL(text)
  return `${url.origin}${url.pathname}`
}
