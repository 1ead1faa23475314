import { proxyActivities, workflowInfo } from '@temporalio/workflow'
import type { OptimizationActivities, OptimizationInput, OptimizationResult } from './types.ts'

/** Writes a report over all traces below the roots and what is collected from Temporal's history, and keeps the newest `keep` reports. Run it on a schedule. */
export async function OptimizationWorkflow(input: OptimizationInput): Promise<OptimizationResult> {
  const activities = proxyActivities<OptimizationActivities>({
    // A report over many traces may take hours; a dead worker is noticed by missing heartbeats.
    startToCloseTimeout: '6 hours',
    heartbeatTimeout: '2 minutes',
    retry: { initialInterval: '10s', maximumAttempts: 5 },
  })
  // The start time of the workflow, so that a retry writes the same file.
  const name = workflowInfo().startTime.toISOString().replaceAll(/[:.]/g, '-')
  const { collect, reportDir, format = 'markdown', keep = 14 } = input
  const collected = collect === undefined ? undefined : await activities.collectTraces(collect)
  const roots = collect === undefined ? input.roots : [...input.roots, collect.dir]
  // The paths of the traces stay inside the activity: a list of thousands would be too long for a result.
  const { reportFile, tracesRead } = await activities.writeReport({ roots, reportDir, format, name })
  const reportsRemoved = await activities.pruneReports(reportDir, keep)
  return { reportFile, tracesRead, reportsRemoved, ...(collected === undefined ? {} : { collected }) }
}
