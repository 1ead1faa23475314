import type { ClosedBuild } from './attribute/build.ts'
import type { Builds } from './attribute/builds.ts'
import { NOT_UTF8, parseLine, type EntryWarning, type Fault } from './entry/parse.ts'
import type { Entry } from './entry/parsed.ts'
import type { Supplement } from './entry/supplement.ts'
import type { Events, LinePlace } from './events.ts'
import type { Contexts } from './metrics/contexts.ts'
import type { Ledger } from './metrics/ledger.ts'
import type { Measure } from './metrics/measure.ts'
import type { ReadingCounters } from './metrics/reading.ts'
import type { RecentBuilds } from './recent/recent-builds.ts'
import type { Durable, Reader, Transaction } from './state/durable.ts'
import type { LineSink } from './tail/reader.ts'
import { readWelded } from './welded-line.ts'

export interface PipelineDeps {
  readonly state: Reader
  /** Whether new series start at zero already in the first pass. */
  readonly baselineEnded: boolean
  readonly supplement: Supplement
  readonly builds: Builds
  readonly measure: Measure
  readonly reading: ReadingCounters
  readonly ledger: Ledger
  readonly contexts: Contexts
  /** Absent where nobody asks for single builds. */
  readonly recent?: Pick<RecentBuilds, 'entry' | 'closed'> | undefined
  readonly events: Events
}

export interface Pipeline extends LineSink, Durable {
  /** Counts the warning about an entry on one line with other records. */
  welded(place: LinePlace): void
  /** Lines come in merged order, each at the time at which it counts, as if it were read when it was written. */
  startReplay(): void
  /** Closes builds that have been idle for longer than the timeout. */
  expire(nowMs: number): void
  /** Closes every open build: nothing more is expected of them. */
  closeBuilds(nowMs: number): void
  /**
   * Call it once everything that was in the files at the start has been read: closes builds that timed out, numbers the
   * context versions and, at the very first start, ends the baseline.
   */
  endFirstPass(nowMs: number): void
}

/** A timestamp that is further in the future causes a warning. */
const FUTURE_TOLERANCE_MS = 60_000

/** The path of a line: entry → attributed → measured. The next commit writes what has changed. */
export function createPipeline(deps: PipelineDeps): Pipeline {
  const { supplement, builds, measure, reading, ledger, contexts, recent, events } = deps
  let firstPass = true
  let replaying = false
  let { baselineEnded } = deps
  let baselineDirty = baselineEnded && !baselineHasEnded(deps.state)

  function close(build: ClosedBuild, nowMs: number): void {
    measure.closed(build, nowMs)
    recent?.closed(build)
  }

  const expire = (nowMs: number): void => {
    for (const build of builds.expire(nowMs)) close(build, nowMs)
  }

  function warn(place: LinePlace, warning: EntryWarning): void {
    reading.warning(warning)
    events.entryWarned(place, warning)
  }

  function reject({ reason, field, cause }: Fault, place: LinePlace): 'rejected' {
    reading.rejected(reason)
    events.lineRejected(place, reason, field, cause)
    return 'rejected'
  }

  function count(line: Entry, place: LinePlace, nowMs: number): 'counted' {
    const entry = supplement.complete(line, place.path)
    // During a first pass it is the entry's own time that says how long a build has been idle.
    const readAt = { nowMs, firstPass: firstPass && !replaying }
    const paused = builds.closeAtPause(entry, readAt)
    if (paused !== undefined) close(paused, nowMs)
    const attributed = builds.attribute(entry, readAt)
    measure.entry(attributed, nowMs)
    recent?.entry(attributed, place)
    if (entry.totalMismatch) warn(place, 'total_mismatch')
    if (entry.cachedMismatch) warn(place, 'cached_mismatch')
    if (attributed.warning !== undefined) warn(place, attributed.warning)
    if (entry.timestampMs > nowMs + FUTURE_TOLERANCE_MS) warn(place, 'timestamp_in_future')
    return 'counted'
  }

  /** A line that is no entry as a whole may still hold whole entries. */
  const salvage = (line: Buffer, place: LinePlace, nowMs: number) =>
    readWelded(line, place, {
      entry(entry, at) {
        count(entry, at, nowMs)
        warn(at, 'welded')
      },
      rejected: reject,
    })

  return {
    line(text, place, nowMs) {
      const parsed = parseLine(text)
      if (parsed.ok) return count(parsed.entry, place, nowMs)
      const { fault } = parsed
      const salvaged = fault.reason === 'invalid_json' ? salvage(Buffer.from(text), place, nowMs) : undefined
      return salvaged ?? reject(fault, place)
    },
    invalidUtf8: (line, place, nowMs) => salvage(line, place, nowMs) ?? reject(NOT_UTF8, place),
    welded: (place) => warn(place, 'welded'),
    tooLong(place) {
      reading.rejected('too_long')
      events.lineRejected(place, 'too_long', '', 'the line is longer than --max-line-bytes')
    },
    bytes: (result, amount) => reading.bytes(result, amount),
    truncated(file, position, size) {
      reading.truncation()
      events.fileTruncated(file.path, position, size)
    },
    startReplay() {
      replaying = true
    },
    expire,
    closeBuilds(nowMs) {
      for (const build of builds.closeAll()) close(build, nowMs)
    },
    endFirstPass(nowMs) {
      firstPass = false
      expire(nowMs)
      contexts.numberVersions()
      if (baselineEnded) return
      baselineEnded = true
      baselineDirty = true
      ledger.endBaseline()
    },
    write(transaction: Transaction) {
      if (baselineDirty)
        transaction.run("INSERT OR REPLACE INTO meta (key, value) VALUES ('baseline_ended', '1')")
    },
    committed() {
      baselineDirty = false
    },
  }
}

/** True if the first pass of the very first start has ended. */
export const baselineHasEnded = (state: Reader): boolean =>
  state.all("SELECT value FROM meta WHERE key = 'baseline_ended'").length > 0
