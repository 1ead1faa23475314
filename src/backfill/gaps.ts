import type { History } from '../history/history.ts'

/** A longer gap is more likely a wrong clock than a pause, and its samples would fill the disk. */
const LONGEST_GAP_DAYS = 366
const DAY_MS = 86_400_000

/**
 * Refuses a history with a gap of more than a year in the sampled time: a single entry of 1970 would produce
 * fifty years of samples. Throws an error that names the entry before the gap and the flag that excludes the gap.
 */
export function refuseGaps(
  { entries, spot }: Pick<History, 'entries' | 'spot'>,
  { sinceMs, untilMs }: { readonly sinceMs: number | undefined; readonly untilMs: number },
): void {
  let before: ReturnType<History['spot']> | undefined
  for (let n = 0; n <= entries; n++) {
    const next = n < entries ? spot(n) : undefined
    const endMs = Math.min(next?.timeMs ?? untilMs, untilMs)
    const startMs = before === undefined ? endMs : Math.max(before.timeMs, sinceMs ?? before.timeMs)
    if (before !== undefined && endMs - startMs > LONGEST_GAP_DAYS * DAY_MS) {
      throw new Error(describe(before, startMs, endMs, next !== undefined && next.timeMs < untilMs))
    }
    before = next
  }
}

function describe(
  { timeMs, place }: ReturnType<History['spot']>,
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
