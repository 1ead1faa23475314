/** The source of time for everything between a file and a scrape, so that tests can control it. */
export interface Clock {
  /** Milliseconds since 1970; may jump. */
  wallMs(): number
  /** Milliseconds since some moment; never goes back. */
  monotonicMs(): number
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}
