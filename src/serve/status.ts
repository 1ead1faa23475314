import type { Outcome } from '../attribute/build.ts'
import type { BuildStep } from '../recent/build-steps.ts'
import type { FixPrompt, RecentBuild } from '../recent/recent-build.ts'

/** Everything that the page shows, at one moment. All totals are committed. */
export interface StatusView {
  version: string
  startedAtMs: number
  nowMs: number
  ready: boolean
  notReadyReason?: string
  /** False while the state cannot be written. The totals do not change then. */
  stateDurable: boolean
  roots: { path: string; state: 'watching' | 'waiting' }[]
  /** Reading positions, committed or not. There may be thousands; the page shows the most interesting ones. */
  files: FileView[]
  /** Rejected lines, by reason. */
  rejectedLines: Record<string, number>
  warnings: Record<string, number>
  entries: number
  tokens: number
  builds: Record<Outcome, number>
  /** All tokens of the closed builds. */
  buildTokens: Record<Outcome, number>
  buildsInProgress: number
  reworkCompletionTokens: number
  reworkErrorLogChars: number
  steps: { step: string; phase: string; entries: number; tokens: number }[]
  errorTypes: { errorType: string; entries: number; reworkTokens: number }[]
  contexts: { hash: string; version: string; firstSeenMs: number; entries: number }[]
  audits: AuditsView
  recent: RecentView
}

/** Single builds out of the `kept` that started last. */
export interface RecentView {
  kept: number
  /** The latest start first. */
  last: BuildSummary[]
  /** The most tokens first. */
  dearest: BuildSummary[]
}

/** Sums over all entries of one build. */
export interface BuildSummary extends Pick<
  RecentBuild,
  | 'runId'
  | 'outcome'
  | 'project'
  | 'startedMs'
  | 'lastEntryMs'
  | 'entries'
  | 'tokens'
  | 'failures'
  | 'reworkSteps'
> {
  /** The latest GEMINI.md. */
  readonly revision: string | undefined
}

/** One build, with what stands of it in its files now. */
export interface BuildView extends BuildSummary {
  readonly nowMs: number
  /** The first of the entries that were found. */
  readonly steps: readonly BuildStep[]
  /** Entries that were found in the files. `entries` were counted. */
  readonly found: number
  readonly files: readonly BuildFileView[]
}

export interface BuildFileView {
  readonly path: string
  /**
   * `whole`, or why not all entries are there. `cut`: the build spreads over more of the file than is read. `gone`: no file is there.
   * `replaced`: other content is there. `shorter`: the file was truncated. `failed`: it could not be read.
   */
  readonly state: 'whole' | 'cut' | 'gone' | 'replaced' | 'shorter' | 'failed'
  readonly cause?: string
  /** Lines that are too long to be shown. */
  readonly tooLong: number
}

/** The four audits, as far as running totals can show them. */
export interface AuditsView {
  fixes: { errorType: string; fixes: number; tokens: number }[]
  promptShare: { phase: string; context: number; instruction: number; other: number }[]
  /** By revision of GEMINI.md, oldest first. */
  revisions: RevisionView[]
  implement: {
    promptVersion: string
    builds: number
    judged: number
    firstPass: number
    completionTokens: number
  }[]
  /** Over the builds that started last. */
  fixPrompts: FixPrompt[]
  /** The most failures first. */
  errorsByRevision: {
    errorType: string
    /** Failed validations under each of `revisions`, in the same order. */
    failures: number[]
  }[]
}

interface RevisionView {
  label: string
  builds: number
  /** Builds with a verdict: all except abandoned ones. */
  judged: number
  firstPass: number
  successes: number
  /** Tokens of its closed builds. */
  tokens: number
  validations: number
  passed: number
}

/** One file; size = counted + rejected + skipped + pending + lag, in bytes. */
export interface FileView {
  path: string
  state: 'hot' | 'cold' | 'rotated' | 'failing'
  sizeBytes: number
  countedBytes: number
  rejectedBytes: number
  skippedBytes: number
  /** Bytes of an unfinished line at the end. */
  pendingBytes: number
  /** Not yet read. */
  lagBytes: number
  /** Lines read. */
  line: number
  lastReadAtMs: number | undefined
  error?: string
}
