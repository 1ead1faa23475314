import type { RawEntry } from './schema.ts'

/**
 * Whether a value is plainly an entry: everything that the schema asks for, checked in a fraction of its time.
 * `true` means that the schema accepts the value as well; `false` means nothing: ask the schema, which
 * also says what is wrong.
 */
export function isPlainEntry(value: unknown): value is RawEntry {
  if (typeof value !== 'object' || value === null) return false
  const v = value as Record<keyof RawEntry, unknown>
  return (
    isName(v.workflow_run_id) &&
    isName(v.step_name) &&
    isName(v.timestamp) &&
    isCount(v.prompt_token_count) &&
    isCount(v.completion_token_count) &&
    isCount(v.total_token_cost) &&
    isText(v.context_file_hash) &&
    isStatus(v.validation_status) &&
    isText(v.validation_error_type) &&
    isText(v.error_type) &&
    isCount(v.error_log_size_chars) &&
    isCount(v.rework_cost_factor) &&
    isTexts(v.files_touched) &&
    isText(v.error_full) &&
    isTexts(v.commands_attempted) &&
    isCount(v.context_token_count) &&
    isCount(v.instruction_token_count) &&
    isText(v.instruction_version) &&
    isText(v.model) &&
    isCount(v.duration_ms) &&
    isCount(v.cost_usd)
  )
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null

const isName = (value: unknown): boolean => typeof value === 'string' && value !== ''

const isText = (value: unknown): boolean => typeof value === 'string' || isAbsent(value)

const isCount = (value: unknown): boolean =>
  typeof value === 'number' ? value >= 0 && value <= Number.MAX_SAFE_INTEGER : isAbsent(value)

const isStatus = (value: unknown): boolean =>
  value === 'pass' || value === 'fail' || value === 'N/A' || isAbsent(value)

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) ? value.every((item) => typeof item === 'string') : isAbsent(value)
