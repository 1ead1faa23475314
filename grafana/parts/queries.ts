import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'

/** A query of a panel; its refId (A, B, …) follows from its position. */
export interface Query {
  readonly expr: string
  readonly legend?: string
  /** Minimum step of a range query, a Grafana duration. */
  readonly interval?: string
}

const letter = (index: number): string => String.fromCodePoint('A'.codePointAt(0)! + index)

const base = (query: Query, index: number): DataqueryBuilder => {
  const builder = new DataqueryBuilder().refId(letter(index)).expr(query.expr)
  if (query.legend !== undefined) builder.legendFormat(query.legend)
  if (query.interval !== undefined) builder.interval(query.interval)
  return builder
}

/** A range query. */
export const over = (query: Query, index: number): DataqueryBuilder => base(query, index).range()
/** An instant query: one value per series at the end of the time range. */
export const now = (query: Query, index: number): DataqueryBuilder => base(query, index).instant()
/** An instant query for tables: one row per series at the end of the time range. */
export const rows = (query: Query, index: number): DataqueryBuilder =>
  base(query, index).instant().format(PromQueryFormat.Table)
/** A range query for heatmaps: the buckets of a histogram over time. */
export const cells = (query: Query, index: number): DataqueryBuilder =>
  base(query, index).range().format(PromQueryFormat.Heatmap)
