import { shortName } from '../short-name.ts'
import type { Durable, Reader, Transaction } from '../state/durable.ts'

/** Replaces every value beyond the limit of its label. */
export const OVERFLOW = '_other'

// This pattern matches control characters on purpose.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g

/**
 * Returns a text as a label value: at most 64 characters, control characters and lone surrogates replaced by U+FFFD.
 * Texts that differ only in those share one series.
 */
export function labelValue(text: string): string {
  return shortName(text).replace(CONTROL, '\uFFFD').toWellFormed()
}

export type CappedLabel = 'step' | 'error_type' | 'instruction_version' | 'model' | 'project'

export type LabelCaps = Readonly<Record<CappedLabel, number>>

export interface LabelValues extends Durable {
  /** False if the value is new and its label has reached its limit. */
  admit(label: CappedLabel, value: string): boolean
}

/** The values that each limited label has admitted. A value that was admitted once stays. */
export function createLabelValues(caps: LabelCaps, state: Reader): LabelValues {
  const admitted: Record<CappedLabel, Set<string>> = {
    step: new Set(),
    error_type: new Set(),
    instruction_version: new Set(),
    model: new Set(),
    project: new Set(),
  }
  for (const row of state.all('SELECT label, value FROM label_values')) {
    admitted[row['label'] as CappedLabel].add(String(row['value']))
  }
  let fresh: { label: CappedLabel; value: string }[] = []
  return {
    admit(label, value) {
      const values = admitted[label]
      if (value === '' || values.has(value)) return true
      if (values.size >= caps[label]) return false
      values.add(value)
      fresh.push({ label, value })
      return true
    },
    write(transaction: Transaction) {
      for (const { label, value } of fresh) {
        transaction.run('INSERT INTO label_values (label, value) VALUES (?, ?)', label, value)
      }
    },
    committed() {
      fresh = []
    },
  }
}
