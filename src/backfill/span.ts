import { parseMoment, requireOrder } from '../config/period.ts'
import type { Manifest } from './manifest.ts'

/** As given on the command line. */
export interface Period {
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** Prometheus keeps the latest hours in memory and takes no blocks that overlap with them. */
const HEAD_MS = 3 * 3_600_000

/** From when to when the history goes. */
export interface Span extends End {
  /** Entries before are in the totals of the first samples only. */
  readonly sinceMs: number | undefined
}

interface End {
  /** The last samples are no later. */
  readonly untilMs: number
  /** The moment as of which the history is taken. */
  readonly asOfMs: number
  /** An earlier run has set both. */
  readonly pinned: boolean
}

/** What the flags ask for, within what is possible. Throws a `UsageError` where the end comes before the start. */
export function spanOf(options: Period, before: Manifest | undefined, nowMs: number): Span {
  const end = lastMoment(options, before, nowMs)
  const sinceMs = firstMoment(options, before, nowMs)
  requireOrder(sinceMs, end.untilMs)
  return { ...end, sinceMs }
}

/** The last three hours are Prometheus' own; a second run ends where the first one did, and sees what that saw. */
function lastMoment(options: Period, before: Manifest | undefined, nowMs: number): End {
  const asked = parseMoment('--until', options.until, nowMs)
  if (before !== undefined && (options.until === undefined || options.until === before.until)) {
    return {
      untilMs: Math.min(before.until_ms, nowMs - HEAD_MS),
      asOfMs: Math.min(before.now_ms ?? before.until_ms + HEAD_MS, nowMs),
      pinned: true,
    }
  }
  return { untilMs: Math.min(asked ?? nowMs, nowMs - HEAD_MS), asOfMs: nowMs, pinned: false }
}

const firstMoment = (options: Period, before: Manifest | undefined, nowMs: number): number | undefined =>
  options.since !== undefined && options.since === before?.since
    ? before.since_ms
    : parseMoment('--since', options.since, nowMs)

/**
 * What earlier runs have written and imported stays known, whatever part of it this run is about, and so does
 * the end of the run that reached furthest.
 */
export function nextManifest(
  options: Period,
  before: Manifest | undefined,
  { untilMs, asOfMs, sinceMs }: Span,
): Manifest {
  const furthest =
    before !== undefined && before.until_ms >= untilMs
      ? before
      : { until_ms: untilMs, now_ms: asOfMs, until: options.until }
  const first =
    sinceMs === undefined
      ? { since: before?.since, since_ms: before?.since_ms }
      : { since: options.since, since_ms: sinceMs }
  return {
    format: 1,
    until_ms: furthest.until_ms,
    ...(furthest.now_ms !== undefined && { now_ms: furthest.now_ms }),
    ...(first.since !== undefined && first),
    ...(furthest.until !== undefined && { until: furthest.until }),
    ...(before?.state !== undefined && { state: before.state }),
    days: { ...before?.days },
  }
}
