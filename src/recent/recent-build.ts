import type { Outcome } from '../attribute/build.ts'

/** Where the entries of a build stand in one file. */
export interface Stretch {
  /** The path when the last of them was read. */
  readonly path: string
  /** Offset of the first byte of the first entry. */
  readonly from: number
  /** Offset behind the last byte of the last entry. */
  readonly to: number
}

/** Sums over the fixes of one prompt version. */
export interface FixPrompt {
  readonly version: string
  readonly fixes: number
  readonly tokens: number
  /** Of the fixes whose error log has a known size, as `errorLogChars`. */
  readonly completionTokens: number
  readonly errorLogChars: number
}

/** What is kept of a build: sums over all of its entries, and where these are. Times in milliseconds since 1970. */
export interface RecentBuild {
  /** As `runKey` gives it. */
  readonly runId: string
  readonly outcome: Outcome | undefined
  readonly project: string | undefined
  /** The first 12 hex digits of the first known GEMINI.md. */
  readonly firstContext: string | undefined
  /** The same of the latest. */
  readonly context: string | undefined
  /** The prompt version of its implement steps: `null` for several, `undefined` for none that is known. */
  readonly implementPrompt: string | null | undefined
  /** The draw that assigned it its prompt version at random: `null` for none or several, `undefined` while it has no version. */
  readonly implementDraw: string | null | undefined
  /** What its fixes took, by prompt version; `''` for fixes without one. */
  readonly fixPrompts: readonly FixPrompt[]
  /** When its first step began, as far as that is known. */
  readonly startedMs: number
  /** When its first entry was written. */
  readonly firstEntryMs: number
  readonly lastEntryMs: number
  readonly entries: number
  readonly tokens: number
  /** Failed validations. */
  readonly failures: number
  readonly reworkSteps: number
  readonly stretches: readonly Stretch[]
}
