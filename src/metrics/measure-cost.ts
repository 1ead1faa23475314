import type { Entry } from '../entry/parsed.ts'
import type { Bundle } from './bundles.ts'
import type { Ledger, Series } from './ledger.ts'
import type { Overflow } from './overflow.ts'

/** The model of an entry that has a cost and names no model. */
const UNKNOWN_MODEL = 'unknown'

/** Adds the cost of an entry that has one. */
export function countCost(ledger: Ledger, overflow: Overflow, bundle: Bundle, entry: Entry): void {
  const { costUsd, model = '' } = entry
  if (costUsd === undefined) return
  if (bundle.cost?.model !== model) {
    const overflowing: Series[] = []
    const label = model === '' ? UNKNOWN_MODEL : overflow.admit('model', model, overflowing)
    bundle.cost = { model, overflowing, series: ledger.series('costUsd', [bundle.phase, label]) }
  }
  for (const series of bundle.cost.overflowing) ledger.add(series, 1)
  ledger.add(bundle.cost.series, costUsd)
}
