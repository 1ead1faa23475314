import type { FieldName } from './fields.ts'
import type { RawEntry } from './schema.ts'

/*
 * The fast check of each kind of field. It must accept what the zod schema of the kind reads without changing it, and no
 * more.
 */

const isName = (value: unknown): boolean => typeof value === 'string' && value !== ''

const isText = (value: unknown): boolean => value === undefined || typeof value === 'string' || value === null

const isCount = (value: unknown): boolean =>
  value === undefined ||
  (typeof value === 'number' ? value >= 0 && value <= Number.MAX_SAFE_INTEGER : value === null)

const isListOfTexts = (value: unknown): boolean =>
  value === undefined ||
  (Array.isArray(value) ? value.every((item) => typeof item === 'string') : value === null)

const isStatus = (value: unknown): boolean =>
  value === undefined || value === 'pass' || value === 'fail' || value === 'N/A' || value === null

/**
 * The fields of a value of `JSON.parse` if it is an entry as it should be written: the schema's rules in a fraction of
 * its time. If the answer is `undefined`, the schema says what is wrong, or reads the value (a status in upper case).
 *
 * Objects with other keys, or in another order, have other shapes, in which V8 looks for a name each time. So each field is
 * read once, into an object of one shape.
 */
export function plainEntry(value: unknown): RawEntry | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const fields = value as Partial<Record<FieldName, unknown>>
  const raw = {
    workflow_run_id: fields.workflow_run_id,
    step_name: fields.step_name,
    timestamp: fields.timestamp,
    prompt_token_count: fields.prompt_token_count,
    completion_token_count: fields.completion_token_count,
    cached_token_count: fields.cached_token_count,
    total_token_cost: fields.total_token_cost,
    context_file_hash: fields.context_file_hash,
    validation_status: fields.validation_status,
    validation_error_type: fields.validation_error_type,
    error_type: fields.error_type,
    error_log_size_chars: fields.error_log_size_chars,
    rework_cost_factor: fields.rework_cost_factor,
    files_touched: fields.files_touched,
    error_full: fields.error_full,
    commands_attempted: fields.commands_attempted,
    context_token_count: fields.context_token_count,
    instruction_token_count: fields.instruction_token_count,
    instruction_version: fields.instruction_version,
    instruction_assignment: fields.instruction_assignment,
    project: fields.project,
    model: fields.model,
    duration_ms: fields.duration_ms,
    cost_usd: fields.cost_usd,
  } satisfies Record<FieldName, unknown>
  return hasNames(raw) && hasCounts(raw) && hasTexts(raw) ? (raw as RawEntry) : undefined
}

type Fields = Readonly<Record<FieldName, unknown>>

const hasNames = (raw: Fields): boolean =>
  isName(raw.workflow_run_id) && isName(raw.step_name) && isName(raw.timestamp)

const hasCounts = (raw: Fields): boolean =>
  isCount(raw.prompt_token_count) &&
  isCount(raw.completion_token_count) &&
  isCount(raw.cached_token_count) &&
  isCount(raw.total_token_cost) &&
  isCount(raw.error_log_size_chars) &&
  isCount(raw.rework_cost_factor) &&
  isCount(raw.context_token_count) &&
  isCount(raw.instruction_token_count) &&
  isCount(raw.duration_ms) &&
  isCount(raw.cost_usd)

const hasTexts = (raw: Fields): boolean =>
  isStatus(raw.validation_status) &&
  isText(raw.context_file_hash) &&
  isText(raw.validation_error_type) &&
  isText(raw.error_type) &&
  isText(raw.error_full) &&
  isText(raw.instruction_version) &&
  isText(raw.instruction_assignment) &&
  isText(raw.project) &&
  isText(raw.model) &&
  isListOfTexts(raw.files_touched) &&
  isListOfTexts(raw.commands_attempted)

/** Whether the value is such an entry. */
export const isPlainEntry = (value: unknown): boolean => plainEntry(value) !== undefined
