import { TestWorkflowEnvironment, type LocalTestWorkflowEnvironmentOptions } from '@temporalio/testing'

const ATTEMPTS = 6

/**
 * Starts a local Temporal server with an empty database, on a free port. The SDK waits five seconds for it, and a
 * busy machine may need longer just to load the program, so the start is retried.
 */
export async function startTemporalServer(
  server: NonNullable<LocalTestWorkflowEnvironmentOptions['server']>,
): Promise<TestWorkflowEnvironment> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await TestWorkflowEnvironment.createLocal({ server })
    } catch (error) {
      if (attempt === ATTEMPTS || !String(error).includes('did not start within')) throw error
    }
  }
}
