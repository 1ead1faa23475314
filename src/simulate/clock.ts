import { setTimeout as timeout } from 'node:timers/promises'

/** Time and wake-ups of the simulator's writer. */
export interface SimulationClock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms` milliseconds, or as soon as the signal is aborted; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** The system clock and its timers. */
export const systemClock: SimulationClock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    timeout(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    }),
}
