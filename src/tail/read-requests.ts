/** Requests for a round of the loop now, from those who show what is read: scrapes. */
export interface ReadRequests {
  /** Resolves at the end of a round of looking and reading that began after the call, or after `ms`. */
  ask(ms: number): Promise<void>
  /** Whether somebody is waiting for a round that has not begun. */
  any(): boolean
  /** A round begins: returns what to call at its end. */
  take(): () => void
}

/** `hurry` ends a rest of the loop. Once the signal says stop, nobody waits any more. */
export function createReadRequests(hurry: () => void, signal: AbortSignal): ReadRequests {
  let asking: (() => void)[] = []
  return {
    async ask(ms) {
      if (signal.aborted) return
      const answered = Promise.withResolvers<void>()
      const timer = setTimeout(answered.resolve, ms)
      asking.push(answered.resolve)
      hurry()
      await answered.promise
      clearTimeout(timer)
    },
    any: () => asking.length > 0,
    take() {
      const taken = asking
      asking = []
      return () => {
        for (const answer of taken) answer()
      }
    },
  }
}
