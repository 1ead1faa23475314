import { z } from 'zod'

/** Beyond this a count could not be added up exactly. */
const MAX_COUNT = Number.MAX_SAFE_INTEGER

const requiredText = z.string().min(1)
const text = z.string().nullish()
const count = z.number().nonnegative().max(MAX_COUNT).nullish()
const texts = z.array(z.string()).nullish()

/**
 * What one line may hold. `null` means absent; unknown keys are dropped; a wrong type rejects the line.
 * `error_type` is the older dialect's name of `validation_error_type`.
 */
export const entrySchema = z.object({
  workflow_run_id: requiredText,
  step_name: requiredText,
  /** Its form is checked by `parseTimestamp`, which reads it in the same go. */
  timestamp: requiredText,
  prompt_token_count: count,
  completion_token_count: count,
  total_token_cost: count,
  context_file_hash: text,
  validation_status: z.enum(['pass', 'fail', 'N/A']).nullish(),
  validation_error_type: text,
  error_type: text,
  error_log_size_chars: count,
  rework_cost_factor: count,
  files_touched: texts,
  error_full: text,
  commands_attempted: texts,
  context_token_count: count,
  instruction_token_count: count,
  instruction_version: text,
  model: text,
  duration_ms: count,
  cost_usd: count,
})

export type RawEntry = z.infer<typeof entrySchema>
