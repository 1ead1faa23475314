import { FieldTextAlignment, TableCellHeight } from '@grafana/grafana-foundation-sdk/common'
import type { DataTransformerConfig, DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { DATASOURCE } from './datasource.ts'
import { EMPTY } from './empty.ts'
import { calculations, type Formula } from './formulas.ts'
import { type Look, NO_QUOTIENT } from './looks.ts'
import { rows } from './queries.ts'

interface ColumnStyle {
  readonly name: string
  readonly unit: string
  readonly decimals?: number
  readonly width?: number
  readonly look?: Look
}

/** A column with the values of an instant query, joined to the others by its labels. */
interface QueriedColumn extends ColumnStyle {
  readonly expr: string
}

/** A column that is calculated from others. */
interface CalculatedColumn extends ColumnStyle {
  readonly formula: Formula
}

export type Column = QueriedColumn | CalculatedColumn

/** A query that formulas use, without a column of its own. */
interface Input {
  readonly name: string
  readonly expr: string
}

/** A column with the values of a label. */
export interface LabelColumn {
  readonly label: string
  readonly name: string
  readonly width?: number
  /** Minimum width of a column that takes the remaining space. */
  readonly minWidth?: number
  /** Colours and links of the values. */
  readonly looks?: Look
  /** Names that may take two lines, for which Grafana does not make the row higher: it measures the raw value. */
  readonly twoLines?: true
  /** Not shown; links of other columns use it. */
  readonly hidden?: true
}

/** Selects the rows whose value in the column is above `above` and, if given, below `below`. */
export interface RowFilter {
  readonly column: string
  readonly above: number
  readonly below?: number
}

export interface TableSpec {
  readonly title: string
  readonly description: string
  readonly labels: readonly LabelColumn[]
  readonly columns: readonly Column[]
  readonly inputs?: readonly Input[]
  /** Calculated for filters, not shown. */
  readonly hidden?: ReadonlyMap<string, Formula>
  /** All of them must hold for a row. */
  readonly filters?: readonly RowFilter[]
  /** Columns, labels or inputs to sort by, the most important first. A leading `-` sorts in descending order. */
  readonly sortBy: readonly string[]
  /** What the panel shows without rows. Default: that there were no builds. */
  readonly empty?: string
}

/** Maps the name of a column, label or input to the field that Grafana gives it. */
type FieldOf = (name: string) => string

/** A table that joins several instant queries by their labels. Label columns come first. */
export function table(spec: TableSpec): TablePanel {
  const queries = queriesOf(spec)
  const panel = new TablePanel()
    .title(spec.title)
    .description(spec.description)
    .datasource(DATASOURCE)
    .targets(queries.map(({ expr }, index) => rows({ expr }, index)))
    .transformations(transformationsOf(spec, fieldsOf(spec.labels, queries)))
    .cellHeight(spec.labels.some(({ twoLines }) => twoLines) ? TableCellHeight.Md : TableCellHeight.Sm)
    .align(FieldTextAlignment.Auto)
    .unit('none')
    .noValue(spec.empty ?? EMPTY.builds)
  for (const column of spec.labels) panel.overrideByName(column.name, labelOverrides(column))
  for (const column of spec.columns) panel.overrideByName(column.name, valueOverrides(column))
  return panel
}

const queriesOf = ({ columns, inputs = [] }: TableSpec): readonly Input[] => [
  ...columns.filter((column) => 'expr' in column),
  ...inputs,
]

/** Grafana names the value of a single query `Value`, and those of several `Value #A`, `Value #B`, … */
function fieldsOf(labels: readonly LabelColumn[], queries: readonly Input[]): FieldOf {
  const valueField = (index: number): string =>
    queries.length === 1 ? 'Value' : `Value #${String.fromCodePoint(65 + index)}`
  const fields = new Map([
    ...labels.map(({ label, name }) => [name, label] as const),
    ...queries.map(({ name }, index) => [name, valueField(index)] as const),
  ])
  return (name) => fields.get(name) ?? name
}

function transformationsOf(spec: TableSpec, fieldOf: FieldOf): DataTransformerConfig[] {
  const { labels, columns, hidden = new Map<string, Formula>(), filters = [], sortBy } = spec
  const formulas = new Map([
    ...hidden,
    ...columns.flatMap((column) => ('formula' in column ? [[column.name, column.formula] as const] : [])),
  ])
  const shown = [...labels, ...columns].map(({ name }) => [fieldOf(name), name] as const)
  return [
    { id: 'merge', options: {} },
    ...calculations(formulas, fieldOf),
    ...filtered(filters, fieldOf),
    // Grafana sorts by one field at a time, and the sort is stable.
    ...sortBy.toReversed().map((name) => sorted(fieldOf(name.replace(/^-/, '')), name.startsWith('-'))),
    { id: 'filterFieldsByName', options: { include: { names: shown.map(([field]) => field) } } },
    {
      id: 'organize',
      options: {
        indexByName: Object.fromEntries(shown.map(([field], index) => [field, index])),
        renameByName: Object.fromEntries(shown.filter(([field, name]) => field !== name)),
      },
    },
  ]
}

export const sorted = (field: string, desc = false): DataTransformerConfig => ({
  id: 'sortBy',
  options: { fields: {}, sort: [{ field, desc }] },
})

/** The filters as one transformation; none without filters. */
export const filtered = (
  filters: readonly RowFilter[],
  fieldOf: FieldOf = (name) => name,
): DataTransformerConfig[] =>
  filters.length === 0
    ? []
    : [
        {
          id: 'filterByValue',
          options: {
            type: 'include',
            match: 'all',
            filters: filters.map(({ column, above, below }) => ({
              fieldName: fieldOf(column),
              config:
                below === undefined
                  ? { id: 'greater', options: { value: above } }
                  : { id: 'between', options: { from: above, to: below } },
            })),
          },
        },
      ]

/** A cell without a value; the text of an empty table would stand there otherwise. */
const NO_CELL: DynamicConfigValue = { id: 'noValue', value: '–' }

/** Headers are whole terms, and the numbers below them short. */
const WRAPPED_HEADER: DynamicConfigValue = { id: 'custom.wrapHeaderText', value: true }

const labelOverrides = ({ width, minWidth, looks = [], hidden }: LabelColumn): DynamicConfigValue[] => [
  NO_CELL,
  ...(hidden ? [{ id: 'custom.hideFrom', value: { viz: true } }] : []),
  WRAPPED_HEADER,
  ...property('custom.width', width),
  ...property('custom.minWidth', minWidth),
  ...looks,
]

const valueOverrides = ({ unit, decimals, width, look = [], ...column }: Column): DynamicConfigValue[] => [
  { id: 'unit', value: unit },
  NO_CELL,
  WRAPPED_HEADER,
  ...property('decimals', decimals),
  ...property('custom.width', width),
  ...('formula' in column && !look.some(({ id }) => id === 'mappings')
    ? [{ id: 'mappings', value: [NO_QUOTIENT] }]
    : []),
  ...look,
]

const property = (id: string, value: number | undefined): DynamicConfigValue[] =>
  value === undefined ? [] : [{ id, value }]
