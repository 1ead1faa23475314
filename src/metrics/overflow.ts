import { labelValue, OVERFLOW, type CappedLabel, type LabelValues } from './labels.ts'
import type { Ledger, Series } from './ledger.ts'

/** Admits label values up to the limit of their label, and counts the entries beyond it. */
export interface Overflow {
  /**
   * Returns the value itself, or `_other` if its label has reached its limit; then the counter of that is added to
   * `overflowing`. A value that is literally `_other` shares its series and does not count as overflow.
   */
  admit(label: CappedLabel, text: string, overflowing?: Series[]): string
  /** The counter of the entries whose value of this label is beyond the limit. */
  series(label: CappedLabel | 'context_hash'): Series
}

const LABELS = ['step', 'error_type', 'instruction_version', 'model', 'context_hash'] as const

export function createOverflow(ledger: Ledger, labels: LabelValues): Overflow {
  const series: Overflow['series'] = (label) => ledger.series('labelOverflow', [label])
  // They exist from the start, so that an alert sees their first increment.
  for (const label of LABELS) series(label)
  return {
    admit(label, text, overflowing) {
      const value = labelValue(text)
      // Where nothing has a project, there is no series about projects.
      if (label === 'project' && value !== '') series(label)
      if (labels.admit(label, value)) return value
      overflowing?.push(series(label))
      return OVERFLOW
    },
    series,
  }
}
