import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import { renderReport } from './render-report.ts'
import { reportRows } from './report-rows.ts'
import { withTemporal } from './temporal-packages.ts'
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
  const { worker } = await withTemporal('worker', import('./worker.ts'))
  await worker(config, {
    log,
    signal,
    env,
    rows: reportRows,
    renderReport: (traces, format, stop) =>
      renderReport(traces, format, AbortSignal.any([stop, signal]), clock),
  })
}
