import { TestWorkflowEnvironment } from '@temporalio/testing'
import { requireGoProgram } from './go-program.ts'

/** A real Temporal server with an empty database, on a free port. */
export async function startTemporal(): Promise<TestWorkflowEnvironment> {
  const path = await requireGoProgram('temporal')
  return TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path }, log: { format: 'pretty', level: 'error' } },
  })
}
