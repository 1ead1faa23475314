import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleHandle,
} from '@temporalio/client'
import { DEFAULT_TASK_QUEUE } from './worker.ts'
import type { OptimizationInput } from './types.ts'

export interface OptimizationScheduleOptions {
  readonly input: OptimizationInput
  /** Default `audit-optimization`. */
  readonly scheduleId?: string
  /** Default `0 6 * * *`: daily at six, UTC. */
  readonly cron?: string
  /** Default `audited-builds`. */
  readonly taskQueue?: string
}

/** Creates the Temporal Schedule of `OptimizationWorkflow`, or updates it if it exists. */
export async function ensureOptimizationSchedule(
  client: Client,
  options: OptimizationScheduleOptions,
): Promise<ScheduleHandle> {
  const scheduleId = options.scheduleId ?? 'audit-optimization'
  const spec = { cronExpressions: [options.cron ?? '0 6 * * *'] }
  const action = {
    type: 'startWorkflow' as const,
    workflowType: 'OptimizationWorkflow',
    workflowId: scheduleId,
    taskQueue: options.taskQueue ?? DEFAULT_TASK_QUEUE,
    args: [options.input],
  }
  // After an outage one run is enough: each report covers all traces.
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 day' } as const
  try {
    return await client.schedule.create({ scheduleId, spec, action, policies })
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error
    const handle = client.schedule.getHandle(scheduleId)
    await handle.update((previous) => ({ ...previous, spec, action, policies }))
    return handle
  }
}
