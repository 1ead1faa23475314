import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime } from '@temporalio/worker'
import { requireGoProgram } from './go-program.ts'
import { startTemporalServer } from './temporal-server.ts'

/** Starts a real Temporal server with an empty database, on a free port. */
export async function startTemporal(): Promise<TestWorkflowEnvironment> {
  const path = await requireGoProgram('temporal')
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  return startTemporalServer({
    executable: { type: 'existing-path', path },
    log: { format: 'pretty', level: 'error' },
  })
}
