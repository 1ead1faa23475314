import { TestWorkflowEnvironment, type LocalTestWorkflowEnvironmentOptions } from '@temporalio/testing'

const ATTEMPTS = 6

/**
 * A local Temporal server with an empty database, on a free port. The SDK gives it five seconds to answer, which a
 * busy machine may need for the first reading of the program alone: it is started again then.
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
