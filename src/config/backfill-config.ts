import path from 'node:path'
import { z } from 'zod'
import { historyFlags } from './history-config.ts'
import { parseDuration } from './units.ts'
import { watchConfigSchema } from './watch-config.ts'

const { maxContextHashes, maxSteps, maxErrorTypes, maxInstructionVersions, contextIdle } =
  watchConfigSchema.shape

const absolute = z
  .string()
  .min(1)
  .transform((directory) => path.resolve(directory))

/** Everything that `backfill` can be told; every value is text here, as flags are. */
export const backfillOptions = z.strictObject({
  ...historyFlags,
  maxContextHashes,
  maxSteps,
  maxErrorTypes,
  maxInstructionVersions,
  contextIdle,
  out: absolute,
  state: absolute.optional(),
  prometheusData: absolute.optional(),
  promtool: z.string().min(1).prefault('promtool'),
  keep: z.boolean().prefault(false),
  step: z
    .string()
    .prefault('4m')
    .transform((text, context) => {
      const step = parseDuration(text)
      // Prometheus forgets a series that has no sample for five minutes.
      if (step !== undefined && step >= 1_000 && step <= 240_000) return step
      context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is not a duration from 1s to 4m` })
      return z.NEVER
    }),
  since: z.string().optional(),
  until: z.string().optional(),
  job: z.string().min(1).prefault('audit-trace-exporter'),
  instance: z.string().min(1).prefault('audit-trace-exporter'),
})

export type BackfillOptions = z.output<typeof backfillOptions>
