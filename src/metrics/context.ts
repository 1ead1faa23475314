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
  /** The projects that have used it, as label values; `''` for entries without one. */
  projects: readonly string[]
  /** True if its series are not on the scrape. */
  hidden: boolean
}

export const CONTEXT_INFO_HELP =
  'One for each GEMINI.md revision, and each project that uses it: its full SHA-256 and its number by first sight.'

/** The labels of `audit_context_info`: once for each project. */
export const contextInfo = ({
  hash,
  fullHash,
  version,
  projects,
}: Readonly<Context>): Readonly<Record<string, string>>[] =>
  projects.map((project) => ({
    context_hash: hash,
    context_file_hash: fullHash,
    version: `v${version}`,
    ...(project !== '' && { project }),
  }))
