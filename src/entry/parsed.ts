import type { ValidationStatus } from './validation-status.ts'

/**
 * What one valid line says, with every value derived that the line alone allows. Long texts are dropped and names
 * are cut to the length of a label. Two names keep their full length: the run id, which identifies the build, and
 * the step, whose phase depends on the whole name.
 */
export interface Entry {
  readonly runId: string
  readonly step: string
  /** Milliseconds since 1970. */
  readonly timestampMs: number
  readonly status: ValidationStatus
  /** At most 64 characters; `''` if the entry names none. */
  readonly errorType: string
  readonly promptTokens: number | undefined
  /** The part of the prompt that came from a cache; at most the prompt, where that is known. */
  readonly cachedTokens: number | undefined
  readonly completionTokens: number | undefined
  /** Prompt and completion together, or the known part of them. */
  readonly spentTokens: number | undefined
  readonly contextTokens: number | undefined
  readonly instructionTokens: number | undefined
  /**
   * The rest of the prompt: system prompt, tools, history, and a part that the entry does not give. At least 0;
   * `undefined` if the prompt or both parts are unknown.
   */
  readonly otherTokens: number | undefined
  /** 64 lower-case hex digits. */
  readonly contextFileHash: string | undefined
  /** The entry's own `error_log_size_chars`. */
  readonly errorLogChars: number | undefined
  /** Length of `error_full`. */
  readonly errorFullChars: number | undefined
  readonly reworkCostFactor: number | undefined
  /** Number of names in `files_touched`. */
  readonly filesTouched: number | undefined
  /** At most 64 characters. The entry's own, otherwise that in the path of its file (`supplement.ts`). */
  readonly project: string | undefined
  readonly instructionVersion: string | undefined
  /** The whole text: a draw of many versions is longer than a label. */
  readonly instructionAssignment: string | undefined
  readonly model: string | undefined
  readonly durationMs: number | undefined
  /** The entry's own, otherwise from the prices that the exporter was given (`supplement.ts`). */
  readonly costUsd: number | undefined
  /** The given total contradicts its parts. */
  readonly totalMismatch: boolean
  /** More tokens are said to be cached than the prompt has. */
  readonly cachedMismatch: boolean
}
