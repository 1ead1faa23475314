import { proxyActivities, workflowInfo } from '@temporalio/workflow'
import type { OptimizationActivities, OptimizationInput, OptimizationResult } from './types.ts'

/** Reports over all traces below the roots, and keeps the last so many reports. Run it on a schedule. */
export async function OptimizationWorkflow(input: OptimizationInput): Promise<OptimizationResult> {
  const activities = proxyActivities<OptimizationActivities>({
    startToCloseTimeout: '30 minutes',
    retry: { initialInterval: '10s', maximumAttempts: 5 },
  })
  const traces = await activities.gatherTraces(input.roots)
  // Of the moment for which it was scheduled, so that a retry writes the same file.
  const name = workflowInfo().startTime.toISOString().replaceAll(/[:.]/g, '-')
  const format = input.format ?? 'markdown'
  const reportFile = await activities.writeReport({ traces, reportDir: input.reportDir, format, name })
  const reportsRemoved = await activities.pruneReports(input.reportDir, input.keep ?? 14)
  return { reportFile, tracesRead: traces.length, reportsRemoved }
}
