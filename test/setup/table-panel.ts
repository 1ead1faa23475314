/**
 * Computes what a table panel shows: the subset of Grafana's transformations that the dashboards use, implemented
 * from their documentation. Grafana's own code is too large for a test.
 */

export type Cell = string | number | undefined
export type Row = Readonly<Record<string, Cell>>

/** The rows of one query: its labels, and the value under the name that Grafana gives it. */
export interface Answer {
  readonly refId: string
  readonly samples: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

export interface Transformation {
  readonly id: string
  readonly options: {
    readonly mode?: 'binary' | 'unary'
    readonly alias?: string
    readonly binary?: { readonly left: string; readonly operator: string; readonly right: string }
    readonly unary?: { readonly operator: string; readonly fieldName: string }
    readonly filters?: readonly {
      readonly fieldName: string
      readonly config: {
        readonly id: string
        readonly options: { readonly value?: number; readonly from?: number; readonly to?: number }
      }
    }[]
    readonly sort?: readonly { readonly field: string; readonly desc: boolean }[]
    readonly include?: { readonly names: readonly string[] }
    readonly renameByName?: Readonly<Record<string, string>>
  }
}

/** Returns the rows that the panel shows, from the results of all its queries. */
export function shownRows(
  answers: readonly Answer[],
  transformations: readonly Transformation[],
): readonly Row[] {
  return transformations.reduce<readonly Row[]>((rows, step) => transformed(rows, step), merged(answers))
}

/** Merges samples with the same labels into one row. */
function merged(answers: readonly Answer[]): Row[] {
  const rows = new Map<string, Row>()
  for (const { refId, samples } of answers) {
    for (const { labels, value } of samples) {
      const key = JSON.stringify(Object.entries(labels).sort(([left], [right]) => left.localeCompare(right)))
      const name = answers.length === 1 ? 'Value' : `Value #${refId}`
      rows.set(key, { ...labels, ...rows.get(key), [name]: value })
    }
  }
  return [...rows.values()]
}

function transformed(rows: readonly Row[], { id, options }: Transformation): readonly Row[] {
  switch (id) {
    case 'merge':
      return rows
    case 'calculateField':
      return rows.map((row) => ({ ...row, [options.alias!]: calculated(row, options) }))
    case 'filterByValue':
      return rows.filter((row) =>
        options.filters!.every(({ fieldName, config }) => passes(numberIn(row, fieldName), config)),
      )
    case 'sortBy': {
      const [{ field, desc }] = options.sort! as [{ field: string; desc: boolean }]
      const sign = desc ? -1 : 1
      return [...rows].sort((left, right) => sign * compared(left[field], right[field]))
    }
    case 'filterFieldsByName':
      return rows.map((row) =>
        Object.fromEntries(Object.entries(row).filter(([name]) => options.include!.names.includes(name))),
      )
    case 'organize':
      return rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, cell]) => [options.renameByName![name] ?? name, cell]),
        ),
      )
    default:
      throw new Error(`unsupported transformation: ${id}`)
  }
}

const compared = (left: Cell, right: Cell): number =>
  typeof left === 'string' ? left.localeCompare(String(right)) : Number(left) - Number(right)

/** A field, or a constant where the name is a number. */
const numberIn = (row: Row, name: string): number =>
  Number.isNaN(Number(name)) ? Number(row[name]) : Number(name)

function passes(
  value: number,
  { id, options }: NonNullable<Transformation['options']['filters']>[number]['config'],
): boolean {
  if (id === 'greater') return value > options.value!
  if (id === 'between') return value > options.from! && value < options.to!
  throw new Error(`unsupported condition: ${id}`)
}

function calculated(row: Row, { mode, binary, unary }: Transformation['options']): number {
  if (mode === 'unary') {
    const functions: Readonly<Record<string, (value: number) => number>> = {
      abs: Math.abs,
      exp: Math.exp,
      ln: Math.log,
      floor: Math.floor,
    }
    return functions[unary!.operator]!(numberIn(row, unary!.fieldName))
  }
  const [left, right] = [numberIn(row, binary!.left), numberIn(row, binary!.right)]
  switch (binary!.operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return left / right
    default:
      throw new Error(`unsupported operator: ${binary!.operator}`)
  }
}
