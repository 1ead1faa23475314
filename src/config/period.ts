import { parseDuration } from './units.ts'
import { UsageError } from './usage-error.ts'

/**
 * Parses `30d` (that long before now), `2026-11-01` (midnight UTC), or a date and time with zone.
 * Returns milliseconds since 1970. Throws a `UsageError` that names the flag for anything else.
 */
export function parseMoment(flag: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  const ago = parseDuration(text)
  if (ago !== undefined) return nowMs - ago
  const form = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/
  const ms = form.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(ms)) {
    throw new UsageError(
      `${flag}: ${JSON.stringify(text)} is not a duration such as 30d, a day such as 2026-11-01, or a time with zone`,
    )
  }
  return ms
}

/** `Date.parse` reads 30 February as 2 March. */
function isDay(text: string): boolean {
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text)
}

/** Throws a `UsageError` unless the start is before the end. */
export function requireOrder(sinceMs: number | undefined, untilMs: number | undefined): void {
  if (sinceMs === undefined || untilMs === undefined || sinceMs < untilMs) return
  throw new UsageError(
    `--since: ${new Date(sinceMs).toISOString()} is not before the end, ${new Date(untilMs).toISOString()}`,
  )
}
