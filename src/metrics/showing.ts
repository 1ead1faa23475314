import type { Clock } from '../clock.ts'
import type { Ledger, Series } from './ledger.ts'
import { totalsOf } from './totals.ts'

export interface ShowingDeps {
  readonly ledger: Ledger
  readonly clock: Clock
  /** How long a new series keeps its base after a reader has received it. */
  readonly holdMs: number
  /** Writes what has changed; returns `false` if the state cannot be written. */
  readonly commit: () => boolean
}

/** What one reader is about to get: the response to a scrape, or an export that is pushed. */
interface Answer {
  /** Call it once the reader has all of it: the response was sent, or the export was accepted. Else never. */
  received(): void
}

/** What readers have received of the last commit. */
interface Shown {
  /** Series whose value is in no complete answer of this process. */
  readonly unshownSeries: number
  /** Entries in no complete answer of this process. */
  readonly unshownEntries: number
  /** Since when the last change is in a complete answer, by the monotonic clock. */
  readonly sinceMs: number
}

/** Knows what the readers have received. Scrapes and pushes count alike, whoever sends them. */
export interface Showing {
  /**
   * Commits, and decides what an answer shows: call it right before each rendering of the metrics. `last`: nobody reads
   * after this reader, so a series whose base was received shows its value at once, without the hold.
   */
  begin(how?: { readonly last?: boolean }): Answer
  shown(): Shown
  /** How long other readers have after the first one. */
  readonly holdMs: number
  /** Calls back after each complete answer. */
  onReceived(listener: () => void): void
}

/**
 * Prometheus misses the first increment of a series that it has never read. So a new series shows its base until one
 * answer with it has been received and the hold has passed, which gives other readers time for theirs. The step to its
 * value is committed before it is shown. The hold is measured with the monotonic clock, and a restart starts it again.
 */
export function createShowing(deps: ShowingDeps): Showing {
  const { ledger, clock } = deps
  const heldSince = new WeakMap<Series, number>()
  /** Changes up to this revision of the ledger were received. */
  let received = -1
  let receivedSinceMs = clock.monotonicMs()
  let receivedEntries = 0
  const listeners: (() => void)[] = []

  function release(nowMs: number, holdMs: number): void {
    for (const series of Array.from(ledger.held())) {
      if (!series.baseSeen) continue
      const since = heldSince.get(series) ?? (holdMs === 0 ? nowMs : undefined)
      if (since === undefined) heldSince.set(series, nowMs)
      else if (nowMs - since >= holdMs) ledger.release(series)
    }
  }

  function isUnshown(series: Series): boolean {
    if (series.hidden) return false
    return series.revision > received || !showsAll(series)
  }

  return {
    holdMs: deps.holdMs,
    begin({ last = false } = {}) {
      release(clock.monotonicMs(), last ? 0 : deps.holdMs)
      deps.commit()
      const { revision } = ledger
      const entries = entriesShown(ledger)
      const atBase = [...ledger.held()].filter(
        (series) => series.shown !== undefined && series.shown === series.base,
      )
      return {
        received() {
          const nowMs = clock.monotonicMs()
          if (revision > received) {
            received = revision
            receivedSinceMs = nowMs
          }
          receivedEntries = Math.max(receivedEntries, entries)
          for (const series of atBase) {
            if (series.base === undefined || series.hidden || series.baseSeen) continue
            heldSince.set(series, nowMs)
            ledger.baseSeen(series)
          }
          for (const listener of listeners) listener()
        },
      }
    },
    shown() {
      let unshownSeries = 0
      for (const series of ledger.all()) if (isUnshown(series)) unshownSeries++
      let entries = 0
      for (const { value } of totalsOf(ledger, 'entries').values()) entries += value
      const unshownEntries = Math.max(0, entries - receivedEntries)
      return { unshownSeries, unshownEntries, sinceMs: receivedSinceMs }
    },
    onReceived: (listener) => void listeners.push(listener),
  }
}

/** Whether it shows all that is committed: also a base may be all that there is. */
const showsAll = ({ shown, committed }: Series): boolean =>
  shown === committed || committed?.every((value, i) => value === shown?.[i]) === true

/** All entries that the series of them show. */
function entriesShown(ledger: Ledger): number {
  let entries = 0
  for (const { definition, shown } of ledger.all())
    if (definition.name === 'audit.entries') entries += shown?.[0] ?? 0
  return entries
}
