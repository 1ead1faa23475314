import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard'
import { COLORS } from './colors.ts'
import { TOO_FEW_BUILDS } from './empty.ts'
import { TOO_FEW } from './formulas.ts'

/** How the cells of a table column look: overrides of the field's configuration. */
export type Look = readonly DynamicConfigValue[]

const COLOURED_TEXT: DynamicConfigValue = { id: 'custom.cellOptions', value: { type: 'color-text' } }

/** Value mapping for a quotient whose denominator is zero or missing. */
const noNumber = (text: string) => ({
  type: 'special',
  options: { match: 'null+nan', result: { text, color: COLORS.neutral, index: 9 } },
})
export const NO_QUOTIENT = noNumber('–')

/** Value mapping of a range: a colour, and optionally a text in place of the value. */
export const range = (
  from: number | null,
  to: number | null,
  color: string,
  index: number,
  text?: string,
) => ({
  type: 'range',
  options: { from, to, result: { ...(text !== undefined && { text }), color, index } },
})

const INSUFFICIENT = range(TOO_FEW / 2, null, COLORS.neutral, 0, 'insufficient data')

/** Shows a `verdict` as a coloured word; `reasons` say why there is none if samples are too small, and `nothing` says what is missing if there is nothing to compare with. */
export const verdictLook = (nothing: string, reasons = [INSUFFICIENT]): Look => [
  {
    id: 'mappings',
    value: [
      ...reasons,
      range(null, -1, COLORS.bad, 1, '▼ worse'),
      range(1, TOO_FEW / 2, COLORS.good, 2, '▲ better'),
      range(-1, 1, COLORS.neutral, 3, 'unclear'),
      noNumber(nothing),
    ],
  },
  { id: 'custom.align', value: 'left' },
  COLOURED_TEXT,
]

/** Selects the rows with the verdict better or worse; the column holds its absolute value. */
export const differs = (column: string) => ({ column, above: 1, below: TOO_FEW / 2 })

/** A bar gauge in the cell, from zero to `max`, or to the highest value. */
export const barLook = (color: string, max?: number): Look => [
  { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' } },
  { id: 'color', value: { mode: 'fixed', fixedColor: color } },
  { id: 'min', value: 0 },
  // Without it, Grafana takes the highest value of all columns.
  max === undefined ? { id: 'fieldMinMax', value: true } : { id: 'max', value: max },
]

/** Value mappings: a value, or `n < 20` if a sample is too small (`unlessFew`). */
const FEW = range(TOO_FEW / 2, null, COLORS.neutral, 0, TOO_FEW_BUILDS)
export const WITHHELD = [FEW, NO_QUOTIENT]
export const WITHHELD_LOOK: Look = [{ id: 'mappings', value: WITHHELD }]
/** The same where the value compares with another; `nothing` says that there is none. */
export const withheldLook = (nothing: string): Look => [{ id: 'mappings', value: [FEW, noNumber(nothing)] }]
