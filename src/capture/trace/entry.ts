import type { OptimizationLogEntry } from '../../entry/entry.ts'

/**
 * An entry as this side writes it: the reader's entry and two fields that only people and writers look at
 * (the reader ignores unknown keys).
 */
export interface CapturedEntry extends OptimizationLogEntry {
  /** Which of the count fields are estimates and not what the model's API reported. */
  estimated_fields?: readonly EstimatedField[]
  /** Names this write, so that a repeated one is recognised. Always the line's last key. */
  entry_id?: string
}

export type EstimatedField =
  | 'prompt_token_count'
  | 'completion_token_count'
  | 'total_token_cost'
  | 'context_token_count'
  | 'instruction_token_count'
