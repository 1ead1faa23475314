import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ApplicationFailure } from '@temporalio/activity'
import { makeDirectory } from '../../make-directory.ts'
import { nodeFileSystem } from '../../tail/file-system.ts'
import { scan } from '../../tail/scan.ts'
import { TRACE_FILE_NAME } from '../trace/log-audit-entry.ts'
import { withHeartbeats } from './heartbeats.ts'
import type { CollectInput, CollectResult, OptimizationActivities, ReportFormat } from './types.ts'

export interface OptimizationDeps {
  /** Renders the four audits over these files, of which there may be none. The signal aborts it. */
  readonly renderReport: (
    traces: readonly string[],
    format: ReportFormat,
    signal: AbortSignal,
  ) => Promise<string>
  /** Collects traces, such as `collectFromClient` does. Without it, an input that asks for it fails. */
  readonly collect?: (request: CollectInput, signal: AbortSignal) => Promise<CollectResult>
  /** Default `audit_trace.jsonl`. */
  readonly fileName?: string
}

const HEARTBEAT_MS = 5_000
const EXTENSION: Record<ReportFormat, string> = { markdown: 'md', html: 'html', json: 'json' }
/** Names of our own reports. Other files in the directory are never removed. */
const REPORT_NAME = /^optimization-\d{4}-\d\d-\d\dT[\w-]+\.(md|html|json)$/
const PART = '.part'
/** Writing takes seconds: the writer of an older partial file is dead. */
const PART_LEFT_AFTER_MS = 60 * 60_000

/** The activities of `OptimizationWorkflow`. Without Temporal, call them in the same order. */
export function createOptimizationActivities(deps: OptimizationDeps): OptimizationActivities {
  return {
    async collectTraces(request) {
      const { collect } = deps
      if (collect === undefined)
        throw ApplicationFailure.nonRetryable(
          'this worker cannot collect traces: pass `collect` to createOptimizationActivities',
          'CANNOT_COLLECT',
        )
      return await withHeartbeats(HEARTBEAT_MS, async (signal) => {
        const { workflows, written, present, missing } = await collect(request, signal)
        return { workflows, written, present, missing }
      })
    },

    async writeReport({ roots, reportDir, format, name }) {
      return await withHeartbeats(HEARTBEAT_MS, async (signal) => {
        const traces = await gatherTraces(roots, deps.fileName ?? TRACE_FILE_NAME)
        const text = await deps.renderReport(traces, format, signal)
        const reportFile = path.join(reportDir, `optimization-${name}.${EXTENSION[format]}`)
        await makeDirectory(reportDir)
        // Renamed when complete, so that nobody reads half a report.
        await writeFile(`${reportFile}${PART}`, text)
        await rename(`${reportFile}${PART}`, reportFile)
        return { reportFile, tracesRead: traces.length }
      })
    },

    async pruneReports(reportDir, keep) {
      return await withHeartbeats(HEARTBEAT_MS, async () => {
        const names = await readdir(reportDir)
        const reports = names.filter((name) => REPORT_NAME.test(name)).sort()
        const old = reports.slice(0, Math.max(0, reports.length - Math.max(1, keep)))
        for (const name of [...old, ...(await leftParts(reportDir, names))]) {
          await rm(path.join(reportDir, name), { force: true })
        }
        return old.length
      })
    },
  }
}

async function gatherTraces(roots: readonly string[], fileName: string): Promise<string[]> {
  const absolute = roots.map((root) => path.resolve(root))
  const options = { fileName, followSymlinks: false }
  const { found, missingRoots } = await scan(nodeFileSystem, absolute, options, (where, operation, error) => {
    throw new Error(`cannot write the report: cannot ${operation} ${where}: ${(error as Error).message}`, {
      cause: error,
    })
  })
  // A report over some of the builds would be mistaken for one over all of them.
  if (missingRoots.length > 0)
    throw new Error(
      `cannot write the report: ${missingRoots.join(', ')} does not exist. Create it or correct the roots`,
    )
  return found.map((sighting) => sighting.path).sort()
}

/** Partial reports of killed workers. */
async function leftParts(dir: string, names: readonly string[]): Promise<string[]> {
  const isPart = (name: string): boolean =>
    name.endsWith(PART) && REPORT_NAME.test(name.slice(0, -PART.length))
  const left: string[] = []
  for (const name of names.filter(isPart)) {
    const facts = await stat(path.join(dir, name)).catch(() => undefined)
    if (facts !== undefined && Date.now() - facts.mtimeMs > PART_LEFT_AFTER_MS) left.push(name)
  }
  return left
}
