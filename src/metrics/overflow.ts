import { labelValue, OVERFLOW, type CappedLabel, type LabelValues } from './labels.ts'
import type { Ledger, Series } from './ledger.ts'

/** Label values as they may be shown, and what counts those that found no room. */
export interface Overflow {
  /**
   * The value to show: its own, or `_other` where it found no room; then the series that counts this is added to
   * `overflowing`. A value that is literally `_other` shares that series, and is no overflow.
   */
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
      const value = labelValue(text)
      if (labels.admit(label, value)) return value
      overflowing?.push(series(label))
      return OVERFLOW
    },
    series,
  }
}
