import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import { renderReport } from './render-report.ts'
import type { WorkerConfig } from './worker-flags.ts'

export interface RunWorkerDeps {
  readonly log: Logger
  readonly signal: AbortSignal
  /** The environment of agents and checks. */
  readonly env?: NodeJS.ProcessEnv
  readonly clock: Clock
}

/** Runs `worker`, or throws an error that names the Temporal packages where they are not installed. */
export async function runWorker(
  config: WorkerConfig,
  { log, signal, env = {}, clock }: RunWorkerDeps,
): Promise<void> {
  const { worker } = await importWorker()
  await worker(config, {
    log,
    signal,
    env,
    renderReport: (traces, format, stop) =>
      renderReport(traces, format, AbortSignal.any([stop, signal]), clock),
  })
}

/** Temporal's packages are optional peers: only `worker` needs them. */
async function importWorker(): Promise<typeof import('./worker.ts')> {
  try {
    return await import('./worker.ts')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(
      `worker: Temporal's packages are not installed. Run: npm install @temporalio/{activity,client,common,worker,workflow} protobufjs`,
      { cause: error },
    )
  }
}
