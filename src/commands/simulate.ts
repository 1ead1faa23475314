import { type SimulationClock, systemClock } from '../simulate/clock.ts'
import { CONTEXT_REVISIONS, DEFAULT_PROFILE } from '../simulate/profile.ts'
import { type WriterSummary, writeBuilds } from '../simulate/writer.ts'
import type { SimulateOptions } from './simulate-flags.ts'

/** The part of a logger that `simulate` uses; compatible with pino. */
interface SimulateLog {
  info(fields: object, message: string): void
}

export interface SimulateDependencies {
  readonly log: SimulateLog
  /** Ends the simulation. Files stay, and each ends with a complete line. */
  readonly signal: AbortSignal
  /** Default: the system clock. */
  readonly clock?: SimulationClock
}

/**
 * Writes simulated builds below a directory as pipelines do, until the requested number is written or the signal is
 * aborted. Resolves with a summary. Throws an error that names the file if one cannot be written.
 */
export async function simulate(
  options: SimulateOptions,
  { log, signal, clock = systemClock }: SimulateDependencies,
): Promise<WriterSummary> {
  const { directory, builds = Infinity, keep = Infinity, parallel, speed, buildsPerContext } = options
  const startedAt = clock.now()
  const seed = options.seed ?? String(startedAt)
  log.info({ directory, builds: options.builds ?? 'endless', parallel, speed, seed }, 'simulation started')

  const spike = options.spikeAfterSeconds !== undefined && {
    spike: { fromMs: startedAt + options.spikeAfterSeconds * 1_000 * speed, factor: options.spikeFactor },
  }
  const summary = await writeBuilds(
    {
      directory,
      builds,
      keep,
      parallel,
      speed,
      seed,
      buildsPerContext,
      firstContext: options.firstContext,
      tornWriteShare: options.tornWrites,
      contexts: CONTEXT_REVISIONS,
      profile: { ...DEFAULT_PROFILE, ...spike },
    },
    { clock, signal },
  )
  log.info({ ...summary }, 'simulation ended')
  return summary
}
