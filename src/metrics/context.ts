/** One GEMINI.md revision. */
export interface Context {
  /** First 12 hex digits: the label. */
  readonly hash: string
  readonly fullHash: string
  /** 1, 2, … in the order of first sight; `undefined` until the first pass that found it has ended. */
  version: number | undefined
  /** Time of its earliest entry. */
  firstSeenMs: number
  /** Time of its latest entry, never later than when that was read. */
  lastUsedMs: number
  /** True if its series are not on the scrape. */
  hidden: boolean
}
