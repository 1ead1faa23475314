import { proxyActivities, workflowInfo } from '@temporalio/workflow'
import type { OptimizationActivities, OptimizationInput, OptimizationResult } from './types.ts'

/** Reports over all traces below the roots, and keeps the last so many reports. Run it on a schedule. */
export async function OptimizationWorkflow(input: OptimizationInput): Promise<OptimizationResult> {
  const activities = proxyActivities<OptimizationActivities>({
    // A report over very many traces takes what it takes; a worker that died is noticed by its silence.
    startToCloseTimeout: '6 hours',
    heartbeatTimeout: '2 minutes',
    retry: { initialInterval: '10s', maximumAttempts: 5 },
  })
  // Of the moment for which it was scheduled, so that a retry writes the same file.
  const name = workflowInfo().startTime.toISOString().replaceAll(/[:.]/g, '-')
  const { roots, reportDir, format = 'markdown', keep = 14 } = input
  // The traces' names stay in the activity: of many thousands the list would be too long for a result.
  const { reportFile, tracesRead } = await activities.writeReport({ roots, reportDir, format, name })
  const reportsRemoved = await activities.pruneReports(reportDir, keep)
  return { reportFile, tracesRead, reportsRemoved }
}
