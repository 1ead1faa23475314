import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
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
  /** Writes rows, and renders the four audits over them. Without it, an input with shards fails. */
  readonly rows?: ReportRows
  /** Default `audit_trace.jsonl`. */
  readonly fileName?: string
}

export interface ReportRows {
  /** Adds to the rows in a directory what these traces have grown by. A second call in the meantime fails. */
  readonly update: (traces: readonly string[], directory: string, signal: AbortSignal) => Promise<void>
  /** Renders the four audits over the rows in these directories, of which there may be none. */
  readonly render: (
    directories: readonly string[],
    format: ReportFormat,
    signal: AbortSignal,
  ) => Promise<string>
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
        return { reportFile: await putReport(reportDir, name, format, text), tracesRead: traces.length }
      })
    },

    async updateShard({ roots, dir, shard, count }) {
      const { update } = rowsOf(deps)
      return await withHeartbeats(HEARTBEAT_MS, async (signal) => {
        const traces = await gatherTraces(roots, deps.fileName ?? TRACE_FILE_NAME)
        const own = traces.filter((trace) => shardOf(path.dirname(trace), count) === shard)
        const directory = rowsOfShard(dir, shard, count)
        await makeDirectory(path.dirname(directory))
        // A shard without traces has no rows, or keeps those that it has.
        if (own.length > 0) await update(own, directory, signal)
        return own.length
      })
    },

    async writeReportOfShards({ dir, count, reportDir, format, name }) {
      const { render } = rowsOf(deps)
      return await withHeartbeats(HEARTBEAT_MS, async (signal) => {
        const all = Array.from({ length: count }, (_, shard) => rowsOfShard(dir, shard, count))
        const text = await render(
          all.filter((each) => existsSync(each)),
          format,
          signal,
        )
        return await putReport(reportDir, name, format, text)
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

function rowsOf({ rows }: OptimizationDeps): ReportRows {
  if (rows !== undefined) return rows
  throw ApplicationFailure.nonRetryable(
    'this worker cannot report on shards: pass `rows` to createOptimizationActivities',
    'CANNOT_SHARD',
  )
}

/** Rows of another number of shards would contain the same builds. */
const rowsOfShard = (dir: string, shard: number, count: number): string =>
  path.join(dir, `of-${String(count)}`, String(shard))

/** The shard of a directory: the same on every worker and in every run. A build has all its traces in one directory. */
const shardOf = (directory: string, count: number): number =>
  createHash('sha256').update(directory).digest().readUInt32BE() % count

/** Renamed when complete, so that nobody reads half a report. */
async function putReport(
  reportDir: string,
  name: string,
  format: ReportFormat,
  text: string,
): Promise<string> {
  const reportFile = path.join(reportDir, `optimization-${name}.${EXTENSION[format]}`)
  await makeDirectory(reportDir)
  await writeFile(`${reportFile}${PART}`, text)
  await rename(`${reportFile}${PART}`, reportFile)
  return reportFile
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
