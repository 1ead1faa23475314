import { continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow'
import type {
  OptimizationActivities,
  OptimizationInput,
  OptimizationResult,
  OptimizationResume,
  ShardsInput,
} from './types.ts'

/** Activities of one run: some thousand events, far below the limit of a history. */
const SHARDS_PER_RUN = 500

/**
 * Writes a report over all traces below the roots and what is collected from Temporal's history, and keeps the newest
 * `keep` reports. With shards, each is an activity of its own that any worker may take, and one at the end reduces their
 * rows to the report. Run it on a schedule.
 */
export async function OptimizationWorkflow(input: OptimizationInput): Promise<OptimizationResult> {
  const activities = proxyActivities<OptimizationActivities>({
    // A report over many traces may take hours; a dead worker is noticed by missing heartbeats.
    startToCloseTimeout: '6 hours',
    heartbeatTimeout: input.heartbeatTimeoutMs ?? '2 minutes',
    retry: { initialInterval: '10s', maximumAttempts: 5 },
  })
  const { collect, reportDir, format = 'markdown', keep = 14 } = input
  const begun = input.resume ?? (await begin(input, activities))
  const { name, collected } = begun
  const roots = collect === undefined ? input.roots : [...input.roots, collect.dir]
  const report = { reportDir, format, name }
  // The paths of the traces stay inside the activities: a list of thousands would be too long for a result.
  const { reportFile, tracesRead } =
    input.shards === undefined
      ? await activities.writeReport({ roots, ...report })
      : await reportOfShards({ ...input, roots }, input.shards, begun, report, activities)
  const reportsRemoved = await activities.pruneReports(reportDir, keep)
  return { reportFile, tracesRead, reportsRemoved, ...(collected === undefined ? {} : { collected }) }
}

async function begin(
  { collect }: OptimizationInput,
  activities: OptimizationActivities,
): Promise<OptimizationResume> {
  const collected = collect === undefined ? undefined : await activities.collectTraces(collect)
  return {
    // The start time of the workflow, so that a retry writes the same file.
    name: workflowInfo().startTime.toISOString().replaceAll(/[:.]/g, '-'),
    nextShard: 0,
    tracesRead: 0,
    ...(collected === undefined ? {} : { collected }),
  }
}

async function reportOfShards(
  input: OptimizationInput,
  { dir, count }: ShardsInput,
  begun: OptimizationResume,
  report: Omit<Parameters<OptimizationActivities['writeReportOfShards']>[0], 'dir' | 'count'>,
  activities: OptimizationActivities,
): Promise<{ readonly reportFile: string; readonly tracesRead: number }> {
  const { roots } = input
  const end = Math.min(count, begun.nextShard + SHARDS_PER_RUN)
  const shards = Array.from({ length: end - begun.nextShard }, (_, index) => begun.nextShard + index)
  const counts = await Promise.all(
    shards.map((shard) => activities.updateShard({ roots, dir, shard, count })),
  )
  const tracesRead = counts.reduce((sum, traces) => sum + traces, begun.tracesRead)
  if (end < count)
    return await continueAsNew<typeof OptimizationWorkflow>({
      ...input,
      resume: { ...begun, nextShard: end, tracesRead },
    })
  return { reportFile: await activities.writeReportOfShards({ dir, count, ...report }), tracesRead }
}
