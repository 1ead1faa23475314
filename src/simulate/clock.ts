import { setTimeout as timeout } from 'node:timers/promises'

/** The time and the wake-ups that the simulator's writer lives by. */
export interface SimulationClock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after that many milliseconds, or as soon as the signal is aborted; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** The wall clock, and the timers that belong to it. */
export const systemClock: SimulationClock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    timeout(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    }),
}
