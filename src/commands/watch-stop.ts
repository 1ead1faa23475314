import type { Log } from '../log.ts'
import type { Clock } from '../clock.ts'
import type { WatchConfig } from './watch-flags.ts'

/** How long a file system that does not respond may delay the end; with the server's part it is below five seconds. */
const STOP_PATIENCE_MS = 2_500

/** By the monotonic clock. */
export interface Deadlines {
  /** When serving ends. */
  readonly servedMs: number
  /** When pushing ends. It needs time also without `--linger`. */
  readonly pushedMs: number
}

interface Stop {
  /** Whether reading must stop: from the signal on, and while the files are read a last time, from the end on. */
  stopped(): boolean
  /** Allows a last look at the files. */
  end(): Deadlines
  /** Until when everything should be over. */
  leftMs(): number
}

/** Everything is over `--linger` after the signal; reading the files a last time may take `STOP_PATIENCE_MS` in any case. */
export function createStop(
  { linger }: Pick<WatchConfig, 'linger'>,
  { signal, clock, log }: { readonly signal: AbortSignal; readonly clock: Clock; readonly log: Log },
): Stop {
  let signalMs = Number.POSITIVE_INFINITY
  const endMs = (): number => signalMs + Math.max(linger, STOP_PATIENCE_MS)
  let isEnding = false
  signal.addEventListener(
    'abort',
    () => {
      logStopping(log, signal)
      signalMs = clock.monotonicMs()
    },
    { once: true },
  )
  return {
    stopped: () => (isEnding ? clock.monotonicMs() > endMs() : signal.aborted),
    end() {
      isEnding = true
      return { servedMs: signalMs + linger, pushedMs: endMs() }
    },
    leftMs: () => endMs() - clock.monotonicMs(),
  }
}

function logStopping(log: Log, { reason }: AbortSignal): void {
  const by = typeof reason === 'string' ? reason : undefined
  log.info({ event: 'stopping', signal: by }, `Stopping${by === undefined ? '' : ` on ${by}`}.`)
}

/** Waits for the work to end; once the signal is aborted, for `STOP_PATIENCE_MS` at most. Returns whether it ended. */
export async function orStopped(work: Promise<void>, signal: AbortSignal): Promise<boolean> {
  if (!signal.aborted) await Promise.race([work, aborted(signal)])
  return within(STOP_PATIENCE_MS, work)
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

/** Waits for the work to end, for `ms` at most. Returns whether it ended. */
export async function within(ms: number, work: Promise<void>): Promise<boolean> {
  // If it is left behind, it may still fail.
  work.catch(() => undefined)
  let timer: NodeJS.Timeout | undefined
  const impatience = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  const hasEnded = await Promise.race([work.then(() => true), impatience])
  clearTimeout(timer)
  return hasEnded
}
