import type { History, HistorySpot } from '../history/history.ts'

/** A longer gap is more likely a wrong clock than a pause, and its samples would fill the disk. */
const LONGEST_GAP_DAYS = 366
const DAY_MS = 86_400_000

/**
 * Refuses a history with a gap of more than a year in the sampled time: a single entry of 1970 would produce
 * fifty years of samples. Throws an error that names the entry before the gap and the flag that excludes the gap.
 */
export function refuseGaps({ spots }: Pick<History, 'spots'>, sampled: Sampled): void {
  let before: HistorySpot | undefined
  for (const next of spots()) {
    if (before !== undefined) refuseGap(before, next, sampled)
    before = next
  }
  if (before !== undefined) refuseGap(before, undefined, sampled)
}

interface Sampled {
  readonly sinceMs: number | undefined
  readonly untilMs: number
}

function refuseGap(before: HistorySpot, next: HistorySpot | undefined, { sinceMs, untilMs }: Sampled): void {
  const endMs = Math.min(next?.timeMs ?? untilMs, untilMs)
  const startMs = Math.max(before.timeMs, sinceMs ?? before.timeMs)
  if (endMs - startMs <= LONGEST_GAP_DAYS * DAY_MS) return
  throw new Error(describe(before, startMs, endMs, next !== undefined && next.timeMs < untilMs))
}

function describe(
  { timeMs, place }: HistorySpot,
  startMs: number,
  endMs: number,
  entriesFollow: boolean,
): string {
  const days = Math.round((endMs - startMs) / DAY_MS)
  return (
    `${place.path}:${place.line}: no entry follows the one of ${new Date(timeMs).toISOString()} for ${days} days; samples for that ` +
    'time would fill the disk. ' +
    (entriesFollow
      ? `If its timestamp is wrong or old, use --since ${day(endMs)}: the first samples then include it.`
      : `Use --until ${day(startMs + DAY_MS)}.`)
  )
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
