import type { Clock } from '../clock.ts'
import type { Ledger, Series } from './ledger.ts'
import type { ReaderKind, View } from './series.ts'
import { totalsOf } from './totals.ts'

export interface ShowingDeps {
  readonly ledger: Ledger
  /** The kind of readers. */
  readonly reader: ReaderKind
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

/** Knows what readers of one kind have received. All scrapes count alike, whoever sends them. */
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
  const { ledger, reader, clock } = deps
  const heldSince = new WeakMap<Series, number>()
  /** Changes up to this revision of the ledger were received. */
  let received = -1
  let receivedSinceMs = clock.monotonicMs()
  let receivedEntries = 0
  const listeners: (() => void)[] = []

  function release(nowMs: number, holdMs: number): void {
    for (const series of Array.from(ledger.held(reader))) {
      if (series.views[reader]?.baseSeen !== true) continue
      const since = heldSince.get(series) ?? (holdMs === 0 ? nowMs : undefined)
      if (since === undefined) heldSince.set(series, nowMs)
      else if (nowMs - since >= holdMs) ledger.release(reader, series)
    }
  }

  function isUnshown(series: Series): boolean {
    const view = series.views[reader]
    if (series.hidden || view === undefined) return false
    return view.revision > received || !showsAll(series, view)
  }

  return {
    holdMs: deps.holdMs,
    begin({ last = false } = {}) {
      release(clock.monotonicMs(), last ? 0 : deps.holdMs)
      deps.commit()
      const { revision } = ledger
      const entries = entriesShown(ledger, reader)
      const atBase = [...ledger.held(reader)].filter((series) => {
        const view = series.views[reader]
        return view?.shown !== undefined && view.shown === view.base
      })
      return {
        received() {
          const nowMs = clock.monotonicMs()
          if (revision > received) {
            received = revision
            receivedSinceMs = nowMs
          }
          receivedEntries = Math.max(receivedEntries, entries)
          for (const series of atBase) {
            const view = series.views[reader]
            if (view?.base === undefined || series.hidden || view.baseSeen) continue
            heldSince.set(series, nowMs)
            ledger.baseSeen(reader, series)
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
const showsAll = ({ committed }: Series, { shown }: View): boolean =>
  shown === committed || committed?.every((value, i) => value === shown?.[i]) === true

/** All entries that the series of them show. */
function entriesShown(ledger: Ledger, reader: ReaderKind): number {
  let entries = 0
  for (const { definition, views } of ledger.all())
    if (definition.name === 'audit.entries') entries += views[reader]?.shown?.[0] ?? 0
  return entries
}
