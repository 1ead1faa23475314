import { z } from 'zod'
import { type SimulationClock, systemClock } from '../simulate/clock.ts'
import { CONTEXT_REVISIONS, DEFAULT_PROFILE } from '../simulate/profile.ts'
import { type WriterSummary, writeBuilds } from '../simulate/writer.ts'

const fraction = z.coerce.number().min(0).max(1)
const count = z.coerce.number().int().min(1)

/** What `simulate` can be told, as flags or as values; numbers may come as text. */
export const simulateOptions = z.strictObject({
  /** Where the builds' directories are made. */
  directory: z.string().min(1),
  /** How many builds; absent: until stopped. */
  builds: count.optional(),
  /** Builds under way at once. */
  parallel: count.max(1_000).default(3),
  /** Simulated time over real time. */
  speed: z.coerce.number().positive().max(1e6).default(60),
  /** Absent: another sequence of builds at every start. */
  seed: z.string().min(1).optional(),
  /** Share of lines written in two parts. */
  tornWrites: fraction.default(0.05),
  /** Ended builds whose directories are kept; absent: all. */
  keep: count.optional(),
  /** Builds started under one revision of GEMINI.md before the next takes over. */
  buildsPerContext: count.default(25),
  /** Real seconds after the start at which rework turns dearer; absent: never. */
  spikeAfterSeconds: z.coerce.number().min(0).optional(),
  /** How many times as dear. */
  spikeFactor: z.coerce.number().positive().default(3),
})

export type SimulateFlags = z.input<typeof simulateOptions>
export type SimulateOptions = z.output<typeof simulateOptions>

/** As much of a logger as `simulate` needs; pino's fits. */
interface SimulateLog {
  info(fields: object, message: string): void
}

export interface SimulateDependencies {
  readonly log: SimulateLog
  /** Ends the simulation; what has been written stays, every file ending with a whole line. */
  readonly signal: AbortSignal
  /** Default: the system's. */
  readonly clock?: SimulationClock
}

/**
 * Writes simulated builds below a directory as pipelines would, until as many as asked for are written or the
 * signal is aborted. Resolves with what was written; throws an error that names the file where one cannot be
 * written.
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
      tornWriteShare: options.tornWrites,
      contexts: CONTEXT_REVISIONS,
      profile: { ...DEFAULT_PROFILE, ...spike },
    },
    { clock, signal },
  )
  log.info({ ...summary }, 'simulation ended')
  return summary
}
