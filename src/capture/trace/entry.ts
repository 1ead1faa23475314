import type { OptimizationLogEntry } from '../../entry/entry.ts'

/**
 * An entry as this package writes it: with more keys, which the reader ignores.
 */
export interface CapturedEntry extends OptimizationLogEntry {
  /** The counts that are estimates, not reported by the model's API. */
  estimated_fields?: readonly EstimatedField[]
  /**
   * How far the estimates may be off on the texts that were counted, as a share: 0.2 is ±20 %. `ESTIMATE_ERROR` for the
   * estimators of this package.
   */
  estimate_error?: number
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
