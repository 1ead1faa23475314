import path from 'node:path'
import { z } from 'zod'
import { PHASES } from '../attribute/phase.ts'
import { parseDuration, parseListen, parseSize } from './units.ts'

const parsed = <T>(parse: (text: string) => T | undefined, expected: string) =>
  z.string().transform((text, context) => {
    const value = parse(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is not ${expected}` })
    return z.NEVER
  })

const duration = parsed(parseDuration, 'a duration such as 30s, 5m, 1h30m')
const size = parsed((text) => parseSize(text) || undefined, 'a size such as 64KiB, 16MiB')
const listen = parsed(parseListen, 'an address such as 127.0.0.1:9464, [::1]:9464, :9464')
const cap = z.coerce.number<string>().int().min(1).max(100_000)

const phaseRule = parsed(parsePhaseRule, `a rule PHASE=REGEX with a phase of ${PHASES.join(', ')}`)

function parsePhaseRule(text: string) {
  const at = text.indexOf('=')
  const phase = PHASES.find((name) => name === text.slice(0, at))
  if (phase === undefined) return undefined
  try {
    return { phase, pattern: new RegExp(text.slice(at + 1), 'iu') }
  } catch {
    return undefined
  }
}

/** Everything that `watch` can be told; every value is text here, as flags and variables are. */
export const watchConfigSchema = z.strictObject({
  roots: z
    .array(
      z
        .string()
        .min(1)
        .transform((root) => path.resolve(root)),
    )
    .min(1, 'at least one path is needed'),
  listen: listen.prefault('127.0.0.1:9464'),
  state: z
    .string()
    .min(1)
    .prefault('.audit-trace-exporter')
    .transform((directory) => path.resolve(directory)),
  fileName: z.string().min(1).prefault('audit_trace.jsonl'),
  poll: z.boolean().prefault(false),
  followSymlinks: z.boolean().prefault(false),
  scanInterval: duration.prefault('10s'),
  buildTimeout: duration.prefault('1h'),
  newSeriesHold: duration.prefault('30s'),
  maxLineBytes: size.prefault('16MiB'),
  phase: z.array(phaseRule).prefault([]),
  maxContextHashes: cap.prefault('200'),
  maxSteps: cap.prefault('100'),
  maxErrorTypes: cap.prefault('100'),
  maxInstructionVersions: cap.prefault('100'),
  contextIdle: duration.prefault('30d'),
  webConfig: z.string().min(1).optional(),
})

export type WatchConfig = z.output<typeof watchConfigSchema>

/** A flag or variable with a value that makes no sense; ends the program with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Flags → configuration of `watch`. Throws a `UsageError` that names the flag, the value and what is expected. */
export const parseWatchConfig = (flags: Record<string, unknown>): WatchConfig =>
  parseFlags(watchConfigSchema, flags)

/** Flags → what a command's schema makes of them. Throws a `UsageError` that names the flag and the cause. */
export function parseFlags<T extends z.ZodType>(schema: T, flags: Record<string, unknown>): z.output<T> {
  const result = schema.safeParse(flags)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const [key] = issue?.path ?? []
  const name = key === undefined || key === 'roots' ? 'paths' : `--${kebab(String(key))}`
  throw new UsageError(`${name}: ${issue?.message ?? 'invalid'}`)
}

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
