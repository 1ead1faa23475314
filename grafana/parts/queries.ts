import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'

/** A query as panels want it; the letter is given by its place. */
export interface Query {
  readonly expr: string
  readonly legend?: string
  /** Shortest step of a range query, a Grafana duration. */
  readonly interval?: string
}

const letter = (index: number): string => String.fromCodePoint('A'.codePointAt(0)! + index)

const base = (query: Query, index: number): DataqueryBuilder => {
  const builder = new DataqueryBuilder().refId(letter(index)).expr(query.expr)
  if (query.legend !== undefined) builder.legendFormat(query.legend)
  if (query.interval !== undefined) builder.interval(query.interval)
  return builder
}

/** A line over time. */
export const over = (query: Query, index: number): DataqueryBuilder => base(query, index).range()
/** One value for each series, at the end of the range. */
export const now = (query: Query, index: number): DataqueryBuilder => base(query, index).instant()
/** One row for each series, at the end of the range. */
export const rows = (query: Query, index: number): DataqueryBuilder =>
  base(query, index).instant().format(PromQueryFormat.Table)
/** Buckets of a histogram over time. */
export const cells = (query: Query, index: number): DataqueryBuilder =>
  base(query, index).range().format(PromQueryFormat.Heatmap)
