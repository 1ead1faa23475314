import { FieldTextAlignment, TableCellHeight } from '@grafana/grafana-foundation-sdk/common'
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { DATASOURCE } from './datasource.ts'
import { VERDICT } from './promql.ts'
import { rows } from './queries.ts'

/** A column with numbers: one instant query, joined to the others by its labels. */
export interface Column {
  readonly name: string
  readonly expr: string
  readonly unit: string
  readonly decimals?: number
  readonly width?: number
  /** How else its cells look. */
  readonly look?: readonly DynamicConfigValue[]
}

/** A column with a label's values. */
export interface LabelColumn {
  readonly label: string
  readonly name: string
  readonly width?: number
  /** Takes what is left, and no less than this. */
  readonly minWidth?: number
}

export interface TableSpec {
  readonly title: string
  readonly description: string
  readonly labels: readonly LabelColumn[]
  readonly columns: readonly Column[]
  /** Name of the column to sort by; a `-` before it sorts the largest first. */
  readonly sortBy?: string
  /** A query whose values give the order, the smallest first; it is not shown. */
  readonly order?: string
}

/** Rows that several instant queries share, labels first, nothing shown that was not asked for. */
export function table({ title, description, labels, columns, sortBy, order }: TableSpec): TablePanel {
  const queries = [...columns, ...(order === undefined ? [] : [{ expr: order }])]
  const valueName = (index: number): string =>
    queries.length === 1 ? 'Value' : `Value #${String.fromCodePoint(65 + index)}`
  const names = new Map([
    ...labels.map(({ label, name }) => [label, name] as const),
    ...columns.map(({ name }, index) => [valueName(index), name] as const),
  ])
  const sorted = sortBy?.replace(/^-/, '')
  const sortField =
    order === undefined
      ? ([...names].find(([, name]) => name === sorted)?.[0] ?? sorted)
      : valueName(columns.length)
  const panel = new TablePanel()
    .title(title)
    .description(description)
    .datasource(DATASOURCE)
    .targets(queries.map(({ expr }, index) => rows({ expr }, index)))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'sortBy',
      options: { fields: {}, sort: [{ field: sortField, desc: sortBy?.startsWith('-') ?? false }] },
    })
    .withTransformation({ id: 'filterFieldsByName', options: { include: { names: [...names.keys()] } } })
    .withTransformation({
      id: 'organize',
      options: {
        indexByName: Object.fromEntries([...names.keys()].map((name, index) => [name, index])),
        renameByName: Object.fromEntries(names),
      },
    })
    .cellHeight(TableCellHeight.Sm)
    .align(FieldTextAlignment.Auto)
    .unit('none')
  for (const { name, width, minWidth } of labels) {
    panel.overrideByName(name, [
      ...widthOf(width),
      ...(minWidth === undefined ? [] : [{ id: 'custom.minWidth', value: minWidth }]),
    ])
  }
  for (const { name, unit, decimals, width, look = [] } of columns) {
    panel.overrideByName(name, [
      { id: 'unit', value: unit },
      ...(decimals === undefined ? [] : [{ id: 'decimals', value: decimals }]),
      ...widthOf(width),
      ...look,
    ])
  }
  return panel
}

const widthOf = (width: number | undefined): DynamicConfigValue[] =>
  width === undefined ? [] : [{ id: 'custom.width', value: width }]

const inColour: DynamicConfigValue = { id: 'custom.cellOptions', value: { type: 'color-text' } }

/** Says a verdict in words, in the colour it has. */
export const VERDICT_LOOK: readonly DynamicConfigValue[] = [
  {
    id: 'mappings',
    value: [
      {
        type: 'value',
        options: {
          [VERDICT.worse]: { text: '▼ worse', color: 'red', index: 0 },
          [VERDICT.better]: { text: '▲ better', color: 'green', index: 1 },
          [VERDICT.insufficient]: { text: 'insufficient data', color: 'blue', index: 2 },
        },
      },
      {
        type: 'range',
        options: {
          from: VERDICT.worse,
          to: VERDICT.better,
          result: { text: 'unclear', color: 'text', index: 3 },
        },
      },
    ],
  },
  { id: 'custom.align', value: 'left' },
  inColour,
]

/** A bar in the cell, from zero to the given maximum. */
export const barLook = (color: string, max: number): readonly DynamicConfigValue[] => [
  { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' } },
  { id: 'color', value: { mode: 'fixed', fixedColor: color } },
  { id: 'min', value: 0 },
  { id: 'max', value: max },
]

/** A change whose sign says whether it is good. */
export const changeLook = (good: 'up' | 'down'): readonly DynamicConfigValue[] => [
  {
    id: 'thresholds',
    value: {
      mode: 'absolute',
      steps: [
        { color: good === 'up' ? 'red' : 'green', value: null },
        { color: 'text', value: -0.05 },
        { color: good === 'up' ? 'green' : 'red', value: 0.05 },
      ],
    },
  },
  inColour,
]
