import { parseMoment, requireOrder } from '../config/period.ts'
import type { Manifest } from './manifest.ts'

/** As given on the command line. */
export interface Period {
  readonly since?: string | undefined
  readonly until?: string | undefined
}

/** Prometheus holds the latest hours in memory and accepts no blocks that overlap with them. */
const HEAD_MS = 3 * 3_600_000

/** The time that the samples cover. */
export interface Span extends End {
  /** Earlier entries are included in the first samples. */
  readonly sinceMs: number | undefined
}

interface End {
  /** No samples after this time. */
  readonly untilMs: number
  /** The samples show the history as of this moment. */
  readonly asOfMs: number
  /** Both were set by an earlier run. */
  readonly pinned: boolean
}

/** Returns the span that the flags request, limited to what is possible. Throws a `UsageError` if it ends before it starts. */
export function spanOf(options: Period, before: Manifest | undefined, nowMs: number): Span {
  const end = lastMoment(options, before, nowMs)
  const sinceMs = firstMoment(options, before, nowMs)
  requireOrder(sinceMs, end.untilMs)
  return { ...end, sinceMs }
}

/** The span ends three hours ago at the latest. A second run ends where the first one did and uses the same history. */
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
 * Keeps what earlier runs have written and imported, whichever part of it this run covers, and the end of the run
 * that reached furthest.
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
