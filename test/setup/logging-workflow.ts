import {
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { GivenEntry, LoggedEntry } from '../../src/capture/trace/log-audit-entry.ts'

// A workflow of a user, which logs entries in its own ways, beside ours.

export { OptimizationWorkflow } from '../../src/capture/temporal/optimization.ts'

interface Activities {
  logAuditEntry(workingDir: string, entry: GivenEntry, idempotencyKey?: string): Promise<void>
}
interface LocalActivities {
  appendAuditEntry(workingDir: string, entry: GivenEntry): Promise<LoggedEntry>
}

export interface LoggingInput {
  readonly workingDir: string
  /** Runs that follow this one. */
  readonly continuations?: number
  /** Ends after this signal. */
  readonly waits?: boolean
  /** Logs by a local activity, too. */
  readonly local?: boolean
}

export const finish = defineSignal('finish')

/** Logs two steps, the first without a key and without a timestamp. */
export async function LoggingWorkflow(input: LoggingInput): Promise<void> {
  let finished = false
  setHandler(finish, () => void (finished = true))
  const { logAuditEntry } = proxyActivities<Activities>({ startToCloseTimeout: '1 minute' })
  const { appendAuditEntry } = proxyLocalActivities<LocalActivities>({ startToCloseTimeout: '1 minute' })
  const build = { workflow_run_id: workflowInfo().runId }
  await logAuditEntry(input.workingDir, {
    ...build,
    step_name: 'scaffold',
    prompt_token_count: 70,
    completion_token_count: 30,
  })
  if (input.local === true)
    await appendAuditEntry(input.workingDir, {
      ...build,
      step_name: 'implement_v1',
      validation_status: 'N/A',
      entry_id: `${workflowInfo().runId}/implemented`,
    })
  if (input.waits === true) await condition(() => finished)
  await logAuditEntry(
    input.workingDir,
    {
      ...build,
      step_name: 'initial_verification',
      timestamp: new Date().toISOString(),
      validation_status: 'pass',
    },
    `${workflowInfo().runId}/verified`,
  )
  if ((input.continuations ?? 0) > 0)
    await continueAsNew<typeof LoggingWorkflow>({ ...input, continuations: (input.continuations ?? 0) - 1 })
}
