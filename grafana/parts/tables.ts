import { FieldTextAlignment, TableCellHeight } from '@grafana/grafana-foundation-sdk/common'
import type { DataTransformerConfig, DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { DATASOURCE } from './datasource.ts'
import { calculations, type Formula, TOO_FEW, Z } from './formulas.ts'
import { rows } from './queries.ts'

interface ColumnLook {
  readonly name: string
  readonly unit: string
  readonly decimals?: number
  readonly width?: number
  /** How else its cells look. */
  readonly look?: readonly DynamicConfigValue[]
}

/** A column with numbers: one instant query, joined to the others by its labels. */
interface AskedColumn extends ColumnLook {
  readonly expr: string
}

/** A column that is calculated from others. */
interface CalculatedColumn extends ColumnLook {
  readonly formula: Formula
}

export type Column = AskedColumn | CalculatedColumn

/** A query whose values are calculated with but not shown. */
interface Input {
  readonly name: string
  readonly expr: string
}

/** A column with a label's values. */
interface LabelColumn {
  readonly label: string
  readonly name: string
  readonly width?: number
  /** Takes what is left, and no less than this. */
  readonly minWidth?: number
}

/** Rows whose value in the column is above the one and, if given, below the other. */
interface Between {
  readonly column: string
  readonly above: number
  readonly below?: number
}

export interface TableSpec {
  readonly title: string
  readonly description: string
  readonly labels: readonly LabelColumn[]
  readonly columns: readonly Column[]
  /** Names that formulas can use, beside those of columns. */
  readonly inputs?: readonly Input[]
  /** Calculated, for `keep`, and not shown. */
  readonly hidden?: ReadonlyMap<string, Formula>
  /** Only rows that are in all of these. */
  readonly keep?: readonly Between[]
  /** Names of columns, labels or inputs to sort by, the most important first; a `-` sorts the largest first. */
  readonly sortBy: readonly string[]
}

/** Rows that several instant queries share, labels first, nothing shown that was not asked for. */
export function table(spec: TableSpec): TablePanel {
  const { title, description, labels, columns, inputs = [], hidden = new Map<string, Formula>() } = spec
  const queries: readonly Input[] = [...columns.filter((column) => 'expr' in column), ...inputs]
  const valueName = (index: number): string =>
    queries.length === 1 ? 'Value' : `Value #${String.fromCodePoint(65 + index)}`
  const fields = new Map([
    ...labels.map(({ label, name }) => [name, label] as const),
    ...queries.map(({ name }, index) => [name, valueName(index)] as const),
  ])
  const fieldOf = (name: string): string => fields.get(name) ?? name
  const formulas = new Map([
    ...hidden,
    ...columns.flatMap((column) => ('formula' in column ? [[column.name, column.formula] as const] : [])),
  ])
  const shown = [...labels, ...columns].map(({ name }) => [fieldOf(name), name] as const)

  const panel = new TablePanel()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .targets(queries.map(({ expr }, index) => rows({ expr }, index)))
    .transformations([
      { id: 'merge', options: {} },
      ...calculations(formulas, fieldOf),
      ...kept(spec.keep ?? [], fieldOf),
      // Sorting is stable, and by one field at a time.
      ...spec.sortBy
        .toReversed()
        .map((name) => sorted(fieldOf(name.replace(/^-/, '')), name.startsWith('-'))),
      { id: 'filterFieldsByName', options: { include: { names: shown.map(([field]) => field) } } },
      {
        id: 'organize',
        options: {
          indexByName: Object.fromEntries(shown.map(([field], index) => [field, index])),
          renameByName: Object.fromEntries(shown.filter(([field, name]) => field !== name)),
        },
      },
    ])
    .cellHeight(TableCellHeight.Sm)
    .align(FieldTextAlignment.Auto)
    .unit('none')
  for (const { name, width, minWidth } of labels) {
    panel.overrideByName(name, [
      ...widthOf(width),
      ...(minWidth === undefined ? [] : [{ id: 'custom.minWidth', value: minWidth }]),
    ])
  }
  for (const { name, unit, decimals, width, look = [], ...column } of columns) {
    panel.overrideByName(name, [
      { id: 'unit', value: unit },
      ...(decimals === undefined ? [] : [{ id: 'decimals', value: decimals }]),
      ...widthOf(width),
      ...('formula' in column && !look.some(({ id }) => id === 'mappings')
        ? [{ id: 'mappings', value: [NOTHING] }]
        : []),
      ...look,
    ])
  }
  return panel
}

export const sorted = (field: string, desc = false): DataTransformerConfig => ({
  id: 'sortBy',
  options: { fields: {}, sort: [{ field, desc }] },
})

/** Only rows that are in all of these. */
export const kept = (
  keep: readonly Between[],
  fieldOf = (name: string): string => name,
): DataTransformerConfig[] =>
  keep.length === 0
    ? []
    : [
        {
          id: 'filterByValue',
          options: {
            type: 'include',
            match: 'all',
            filters: keep.map(({ column, above, below }) => ({
              fieldName: fieldOf(column),
              config:
                below === undefined
                  ? { id: 'greater', options: { value: above } }
                  : { id: 'between', options: { from: above, to: below } },
            })),
          },
        },
      ]

const widthOf = (width: number | undefined): DynamicConfigValue[] =>
  width === undefined ? [] : [{ id: 'custom.width', value: width }]

const inColour: DynamicConfigValue = { id: 'custom.cellOptions', value: { type: 'color-text' } }

/** No quotient: its denominator is zero or missing. */
const NOTHING = {
  type: 'special',
  options: { match: 'null+nan', result: { text: '–', color: 'text', index: 9 } },
}

/** Values from the one to the other have a colour, and a text if one is given. */
const range = (from: number | null, to: number | null, color: string, index: number, text?: string) => ({
  type: 'range',
  options: { from, to, result: { ...(text !== undefined && { text }), color, index } },
})

/** Says a z-score in words, in the colour it has. */
export const VERDICT_LOOK: readonly DynamicConfigValue[] = [
  {
    id: 'mappings',
    value: [
      range(TOO_FEW / 2, null, 'blue', 0, 'insufficient data'),
      range(null, -Z, 'red', 1, '▼ worse'),
      range(Z, TOO_FEW / 2, 'green', 2, '▲ better'),
      range(-Z, Z, 'text', 3, 'unclear'),
      NOTHING,
    ],
  },
  { id: 'custom.align', value: 'left' },
  inColour,
]

/** Only those that a z-score calls better or worse; the column holds its absolute value. */
export const clearlyDifferent = (column: string): Between => ({ column, above: Z, below: TOO_FEW / 2 })

/** A bar in the cell, from zero to the given maximum. */
export const barLook = (color: string, max: number): readonly DynamicConfigValue[] => [
  { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' } },
  { id: 'color', value: { mode: 'fixed', fixedColor: color } },
  { id: 'min', value: 0 },
  { id: 'max', value: max },
]

/** Below a tenth a change is not worth a colour. */
const SMALL_CHANGE = 0.1

/** A change for the better (down) or the worse (up), where there are enough to tell. */
export const CHANGE_LOOK: readonly DynamicConfigValue[] = [
  {
    id: 'mappings',
    value: [
      range(TOO_FEW / 2, null, 'blue', 0, 'too few'),
      range(null, -SMALL_CHANGE, 'green', 1),
      range(SMALL_CHANGE, TOO_FEW / 2, 'red', 2),
      range(-SMALL_CHANGE, SMALL_CHANGE, 'text', 3),
      NOTHING,
    ],
  },
  inColour,
]
