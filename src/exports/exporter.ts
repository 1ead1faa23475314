// The entry point `audit-trace-exporter`: the daemon within another program.
import '../require-node.ts'

export { startExporter, type Exporter, type ExporterOptions } from '../start-exporter.ts'
export type { Log } from '../log.ts'
