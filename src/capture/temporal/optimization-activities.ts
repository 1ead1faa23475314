import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { nodeFileSystem } from '../../tail/file-system.ts'
import { scan } from '../../tail/scan.ts'
import { TRACE_FILE_NAME } from '../log-audit-entry.ts'
import type { OptimizationActivities, ReportFormat } from './types.ts'

export interface OptimizationDeps {
  /** The four audits over these files, as text. */
  readonly renderReport: (traces: readonly string[], format: ReportFormat) => Promise<string>
  /** Default `audit_trace.jsonl`. */
  readonly fileName?: string
}

const EXTENSION: Record<ReportFormat, string> = { markdown: 'md', html: 'html', json: 'json' }
/** Ours alone: whatever else stands in the directory is never removed. */
const REPORT_NAME = /^optimization-\d{4}-\d\d-\d\dT[\w-]+\.(md|html|json)$/

/** The activities of `OptimizationWorkflow`; without Temporal, call them in the same order. */
export function createOptimizationActivities(deps: OptimizationDeps): OptimizationActivities {
  return {
    async gatherTraces(roots) {
      const options = { fileName: deps.fileName ?? TRACE_FILE_NAME, followSymlinks: false }
      const absolute = roots.map((root) => path.resolve(root))
      const { found, missingRoots } = await scan(
        nodeFileSystem,
        absolute,
        options,
        (where, operation, error) => {
          throw new Error(`cannot ${operation} ${where}: ${(error as Error).message}`, { cause: error })
        },
      )
      // A report over fewer builds than there are would pass for one over all.
      if (missingRoots.length > 0) throw new Error(`no such directory: ${missingRoots.join(', ')}`)
      return found.map((sighting) => sighting.path).sort()
    },

    async writeReport({ traces, reportDir, format, name }) {
      const text = await deps.renderReport(traces, format)
      const file = path.join(reportDir, `optimization-${name}.${EXTENSION[format]}`)
      await mkdir(reportDir, { recursive: true })
      // Whoever looks meanwhile sees the whole report or none.
      await writeFile(`${file}.part`, text)
      await rename(`${file}.part`, file)
      return file
    },

    async pruneReports(reportDir, keep) {
      const reports = (await readdir(reportDir)).filter((name) => REPORT_NAME.test(name)).sort()
      const old = reports.slice(0, Math.max(0, reports.length - Math.max(1, keep)))
      for (const name of old) await rm(path.join(reportDir, name), { force: true })
      return old.length
    },
  }
}
