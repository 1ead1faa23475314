import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard'
import { COLORS } from './colors.ts'
import { TOO_FEW_BUILDS } from './empty.ts'
import { TOO_FEW } from './formulas.ts'

/** How the cells of a table column look: overrides of the field's configuration. */
export type Look = readonly DynamicConfigValue[]

const COLOURED_TEXT: DynamicConfigValue = { id: 'custom.cellOptions', value: { type: 'color-text' } }

/** Value mapping for a quotient whose denominator is zero or missing. */
export const NO_QUOTIENT = {
  type: 'special',
  options: { match: 'null+nan', result: { text: '–', color: COLORS.neutral, index: 9 } },
}

/** Value mapping of a range: a colour, and optionally a text in place of the value. */
const range = (from: number | null, to: number | null, color: string, index: number, text?: string) => ({
  type: 'range',
  options: { from, to, result: { ...(text !== undefined && { text }), color, index } },
})

/** Shows a `verdict` as a coloured word. */
export const VERDICT_LOOK: Look = [
  {
    id: 'mappings',
    value: [
      range(TOO_FEW / 2, null, COLORS.neutral, 0, 'insufficient data'),
      range(null, -1, COLORS.bad, 1, '▼ worse'),
      range(1, TOO_FEW / 2, COLORS.good, 2, '▲ better'),
      range(-1, 1, COLORS.neutral, 3, 'unclear'),
      NO_QUOTIENT,
    ],
  },
  { id: 'custom.align', value: 'left' },
  COLOURED_TEXT,
]

/** Selects the rows with the verdict better or worse; the column holds its absolute value. */
export const differs = (column: string) => ({ column, above: 1, below: TOO_FEW / 2 })

/** A bar gauge in the cell, from zero to `max`. */
export const barLook = (color: string, max: number): Look => [
  { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' } },
  { id: 'color', value: { mode: 'fixed', fixedColor: color } },
  { id: 'min', value: 0 },
  { id: 'max', value: max },
]

/** A value, or `n < 20` if a sample is too small (`unlessFew`). */
export const WITHHELD_LOOK: Look = [
  {
    id: 'mappings',
    value: [range(TOO_FEW / 2, null, COLORS.neutral, 0, TOO_FEW_BUILDS), NO_QUOTIENT],
  },
]
