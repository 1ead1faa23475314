import { labelValue, OVERFLOW, type CappedLabel, type LabelValues } from './labels.ts'
import type { Ledger, Series } from './ledger.ts'

/** Label values as they may be shown, and what counts those that found no room. */
export interface Overflow {
  /** The value to show; where that is `_other`, the series that counts the overflow is added to `overflowing`. */
  admit(label: CappedLabel, text: string, overflowing?: Series[]): string
  /** Counts entries whose value of this label found no room. */
  series(label: CappedLabel | 'context_hash'): Series
}

const LABELS = ['step', 'error_type', 'instruction_version', 'model', 'context_hash'] as const

export function createOverflow(ledger: Ledger, labels: LabelValues): Overflow {
  const series: Overflow['series'] = (label) => ledger.series('labelOverflow', [label])
  // There from the start: an alert on them sees their first increment.
  for (const label of LABELS) series(label)
  return {
    admit(label, text, overflowing) {
      const value = labels.admit(label, labelValue(text))
      if (value === OVERFLOW) overflowing?.push(series(label))
      return value
    },
    series,
  }
}
