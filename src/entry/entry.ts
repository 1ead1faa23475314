/** The outcome of the commands that a step ran; `N/A` where it ran none. */
export type ValidationStatus = 'pass' | 'fail' | 'N/A'

/**
 * One step of one audited build, as a pipeline writes it: one JSON line of `audit_trace.jsonl`.
 * Counts are tokens, sizes are characters (UTF-16 code units, as `String.length` counts them).
 */
export interface OptimizationLogEntry {
  /** One build. */
  workflow_run_id: string
  /** `scaffold`, `implement_v1`, `initial_verification`, `fix_attempt_1`, … */
  step_name: string
  /** ISO 8601 with zone: when the step completed. */
  timestamp: string
  /** Tokens of the instruction and GEMINI.md together. */
  prompt_token_count?: number
  completion_token_count?: number
  /** Prompt and completion together. */
  total_token_cost?: number
  /** SHA-256 of the GEMINI.md in use, 64 hex digits. */
  context_file_hash?: string
  validation_status?: ValidationStatus
  /** `TSC_ERROR`, `ESLINT_ERROR`, `ESLINT_ERROR_NO_ANY`, `JEST_FAILURE`, … */
  validation_error_type?: string
  /** Size of the error log fed back to the agent (rework steps). */
  error_log_size_chars?: number
  /** completion_token_count / error_log_size_chars */
  rework_cost_factor?: number
  files_touched?: string[]
  error_full?: string
  commands_attempted?: string[]
  /** Tokens of GEMINI.md alone. */
  context_token_count?: number
  /** Tokens of the instruction alone. */
  instruction_token_count?: number
  /** Which wording of the instruction or fix prompt: a name or short hash. */
  instruction_version?: string
  model?: string
  duration_ms?: number
  cost_usd?: number
}
