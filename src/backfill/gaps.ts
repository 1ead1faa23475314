import type { History } from '../history/history.ts'

/** Series go on between entries: a longer gap is a wrong clock rather than a pause, and fills the disk. */
const LONGEST_GAP_DAYS = 366
const DAY_MS = 86_400_000

/**
 * Refuses a history with a gap of more than a year in the time that is sampled: one entry of 1970 would make
 * fifty years of samples. Throws what names the entry before the gap and says which flag leaves the gap out.
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
    `${place.path}:${place.line}: no entry follows that of ${new Date(timeMs).toISOString()} for ${days} days, and samples for all ` +
    'of them would fill the disk. ' +
    (entriesFollow
      ? `If its time is wrong, or old, give --since ${day(endMs)}: it is then in the totals that the first samples show.`
      : `Give --until ${day(startMs + DAY_MS)}.`)
  )
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
