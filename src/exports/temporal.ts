// The entry point `audit-trace-exporter/temporal`: that of `audit-trace-capture`, and the report.
import '../require-node.ts'

export * from './capture-temporal.ts'
export { renderReport } from '../commands/render-report.ts'
export { reportRows } from '../commands/report-rows.ts'
