import type { Entry } from '../entry/parsed.ts'
import type { Durable, Reader, Transaction } from '../state/durable.ts'
import {
  asIfClosed,
  attribute,
  closeUnverified,
  expire,
  type AttributedEntry,
  type BuildState,
  type ClosedBuild,
  type ReadAt,
} from './build.ts'
import { writeBuild } from './build-rows.ts'
import { createKnownBuilds } from './known-builds.ts'
import { createPhaseOf, type PhaseRule } from './phase.ts'

export interface BuildsOptions {
  /** A build that is idle for longer is closed. */
  readonly timeoutMs: number
  readonly phaseRules?: readonly PhaseRule[]
}

export interface Builds extends Durable {
  /**
   * Closes the build of an entry that a first pass reads, if the entry ended a pause longer than the timeout, and returns
   * it. Call it before `attribute`. A watch that was running at that time had closed the build within the pause.
   */
  closeAtPause(entry: Entry, readAt: ReadAt): ClosedBuild | undefined
  /** Adds an entry to its build. */
  attribute(entry: Entry, readAt: ReadAt): AttributedEntry
  /** Closes the builds that have been idle for longer than the timeout and returns them. */
  expire(nowMs: number): ClosedBuild[]
  /** The same for one build only. */
  expireOne(runId: string, nowMs: number): ClosedBuild | undefined
  /** Closes every open build, as if it had timed out, and returns them. */
  closeAll(): ClosedBuild[]
  /** Every open build as it would be if it closed now, and since when it has been idle. */
  unsettled(): { readonly build: ClosedBuild; readonly idleSinceMs: number }[]
  /** Number of open builds as of the last commit. */
  inProgress(): number
  /** Number of open builds now, committed or not. */
  openNow(): number
  lastEntryMs(): number | undefined
  /** Number of builds that the next commit writes. */
  changed(): number
}

/** Attributes entries to their builds, and closes builds once each. */
export function createBuilds(state: Reader, options: BuildsOptions): Builds {
  const phaseOf = createPhaseOf(options.phaseRules)
  const known = createKnownBuilds(state)
  let dirty: BuildState[] = []
  let lastEntryMs = Number(
    state.all("SELECT value FROM meta WHERE key = 'last_entry_ms'")[0]?.['value'] ?? Number.NaN,
  )
  let lastEntryDirty = false
  /** No open build can time out before this time, so most checks can skip all builds. */
  let quietUntilMs = Number.NEGATIVE_INFINITY
  let committedOpen = known.openCount()
  let committedLastEntryMs = lastEntryMs

  const closeIfIdle = (build: BuildState, nowMs: number): ClosedBuild | undefined =>
    noteClosed(build, expire(build, nowMs, options.timeoutMs))

  function touch(build: BuildState): void {
    if (build.dirty) return
    build.dirty = true
    dirty.push(build)
  }

  function noteClosed(build: BuildState, closedBuild: ClosedBuild | undefined): ClosedBuild | undefined {
    if (closedBuild === undefined) return undefined
    known.close(build)
    touch(build)
    return closedBuild
  }

  return {
    closeAtPause(entry, { nowMs, firstPass }) {
      // A time in the future tells no pause.
      if (!firstPass || entry.timestampMs > nowMs) return undefined
      const build = known.openOne(entry.runId)
      return build && closeIfIdle(build, entry.timestampMs)
    },
    attribute(entry, readAt) {
      const build = known.get(entry.runId)
      const attributed = attribute(build, entry, phaseOf(entry.step), readAt)
      if (attributed.closed !== undefined) known.close(build)
      touch(build)
      quietUntilMs = Math.min(quietUntilMs, build.idleSinceMs + options.timeoutMs)
      const entryMs = Math.min(entry.timestampMs, readAt.nowMs)
      if (!(lastEntryMs >= entryMs)) {
        lastEntryMs = entryMs
        lastEntryDirty = true
      }
      return attributed
    },
    expire(nowMs) {
      const expired: ClosedBuild[] = []
      if (nowMs <= quietUntilMs) return expired
      quietUntilMs = Number.POSITIVE_INFINITY
      for (const build of known.open()) {
        const closedBuild = closeIfIdle(build, nowMs)
        if (closedBuild !== undefined) expired.push(closedBuild)
        else quietUntilMs = Math.min(quietUntilMs, build.idleSinceMs + options.timeoutMs)
      }
      return expired
    },
    expireOne(runId, nowMs) {
      const build = known.openOne(runId)
      return build && closeIfIdle(build, nowMs)
    },
    unsettled: () =>
      [...known.open()].map((build) => ({ build: asIfClosed(build), idleSinceMs: build.idleSinceMs })),
    closeAll: () => [...known.open()].flatMap((build) => noteClosed(build, closeUnverified(build)) ?? []),
    inProgress: () => committedOpen,
    openNow: () => known.openCount(),
    changed: () => dirty.length,
    lastEntryMs: () => (Number.isNaN(committedLastEntryMs) ? undefined : committedLastEntryMs),
    write(transaction: Transaction) {
      for (const build of dirty) writeBuild(transaction, build)
      if (lastEntryDirty) {
        transaction.run(
          "INSERT OR REPLACE INTO meta (key, value) VALUES ('last_entry_ms', ?)",
          String(lastEntryMs),
        )
      }
    },
    committed() {
      for (const build of dirty) build.dirty = false
      known.written()
      dirty = []
      lastEntryDirty = false
      committedOpen = known.openCount()
      committedLastEntryMs = lastEntryMs
    },
  }
}
