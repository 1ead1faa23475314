import type { Log } from '../log.ts'
import type { Waker } from '../tail/loop.ts'

export interface RescanRequests {
  /** Whether a scan was requested since the last call. */
  take(): boolean
  close(): void
}

/** Each `rescan` event is a request. Keeps those that arrive before the loop runs, and wakes it. */
export function createRescanRequests(
  { rescan, log }: { readonly rescan?: EventTarget; readonly log: Log },
  waker: Waker,
): RescanRequests {
  let requested = false
  const request = (): void => {
    log.info(
      { event: 'rescan_requested' },
      'Scanning everything below the paths again, as requested by SIGHUP.',
    )
    requested = true
    waker.wake()
  }
  rescan?.addEventListener('rescan', request)
  return {
    take() {
      const taken = requested
      requested = false
      return taken
    },
    close: () => rescan?.removeEventListener('rescan', request),
  }
}
