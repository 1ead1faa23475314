import type { OptimizationLogEntry } from '../../entry/entry.ts'

/**
 * An entry as this package writes it: with two more keys, which the reader ignores.
 */
export interface CapturedEntry extends OptimizationLogEntry {
  /** The counts that are estimates, not reported by the model's API. */
  estimated_fields?: readonly EstimatedField[]
  /** The idempotency key, by which a repeated write is recognised. Always the last key of the line. */
  entry_id?: string
}

export type EstimatedField =
  | 'prompt_token_count'
  | 'cached_token_count'
  | 'completion_token_count'
  | 'total_token_cost'
  | 'context_token_count'
  | 'instruction_token_count'
