import { hash } from 'node:crypto'
import type { Entry } from '../entry/parsed.ts'
import type { Durable, Reader, Transaction } from '../state/durable.ts'
import {
  attribute,
  expire,
  newBuild,
  type AttributedEntry,
  type BuildState,
  type ClosedBuild,
  type ReadAt,
} from './build.ts'
import { readBuild, SELECT_BUILD, SELECT_OPEN_BUILDS, writeBuild } from './build-rows.ts'
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
  /** Number of open builds as of the last commit. */
  inProgress(): number
  /** Number of open builds now, committed or not. */
  openNow(): number
  lastEntryMs(): number | undefined
}

/** Number of closed builds that stay in memory between commits, for late entries. */
const MAX_CLOSED_IN_MEMORY = 4_096
const MAX_IDS_IN_MEMORY = 200_000

/** Holds every build ever seen, open ones in memory and closed ones on disk, so that none is counted twice. */
export function createBuilds(state: Reader, options: BuildsOptions): Builds {
  const phaseOf = createPhaseOf(options.phaseRules)
  const open = new Map<string, BuildState>()
  const closed = new Map<string, BuildState>()
  const dirty = new Set<BuildState>()
  // All ids on disk, as long as they are few enough: a new build then needs no query.
  let onDisk = state.all('SELECT 1 FROM builds LIMIT 1').length === 0 ? new Set<string>() : undefined
  let lastEntryMs = Number(
    state.all("SELECT value FROM meta WHERE key = 'last_entry_ms'")[0]?.['value'] ?? Number.NaN,
  )
  let lastEntryDirty = false
  let last: BuildState | undefined
  /** No open build can time out before this time, so most checks can skip all builds. */
  let quietUntilMs = Number.NEGATIVE_INFINITY
  for (const row of state.all(SELECT_OPEN_BUILDS)) {
    const build = readBuild(row)
    open.set(build.runId, build)
  }
  let committedOpen = open.size
  let committedLastEntryMs = lastEntryMs

  function find(key: string): BuildState | undefined {
    const known = open.get(key) ?? closed.get(key)
    if (known !== undefined || onDisk?.has(key) === false) return known
    const row = state.all(SELECT_BUILD, key)[0]
    if (row === undefined) return undefined
    const build = readBuild(row)
    closed.set(key, build)
    return build
  }

  function buildOf(runId: string): BuildState {
    // Consecutive entries mostly belong to the same build.
    if (last !== undefined && last.runId === runId) return last
    const key = runKey(runId)
    last = find(key)
    if (last === undefined) {
      last = newBuild(key)
      open.set(key, last)
    }
    return last
  }

  const close = (key: string, build: BuildState): void => {
    open.delete(key)
    closed.set(key, build)
  }

  return {
    closeAtPause(entry, { nowMs, firstPass }) {
      // A build that is closed or starts with this entry is not in `open`. A time in the future tells no pause.
      if (!firstPass || entry.timestampMs > nowMs) return undefined
      const build = last?.runId === entry.runId ? last : open.get(runKey(entry.runId))
      const closedBuild = build && expire(build, entry.timestampMs, options.timeoutMs)
      if (build === undefined || closedBuild === undefined) return undefined
      close(build.runId, build)
      dirty.add(build)
      return closedBuild
    },
    attribute(entry, readAt) {
      const build = buildOf(entry.runId)
      const attributed = attribute(build, entry, phaseOf(entry.step), readAt)
      if (attributed.closed !== undefined) close(build.runId, build)
      dirty.add(build)
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
      for (const [key, build] of open) {
        const closedBuild = expire(build, nowMs, options.timeoutMs)
        if (closedBuild === undefined) {
          quietUntilMs = Math.min(quietUntilMs, build.idleSinceMs + options.timeoutMs)
          continue
        }
        close(key, build)
        dirty.add(build)
        expired.push(closedBuild)
      }
      return expired
    },
    inProgress: () => committedOpen,
    openNow: () => open.size,
    lastEntryMs: () => (Number.isNaN(committedLastEntryMs) ? undefined : committedLastEntryMs),
    write(transaction: Transaction) {
      // Ids are random. Written in their order, neighbours share a page of the tree, which saves a third of the time.
      for (const build of [...dirty].sort(byRunId)) writeBuild(transaction, build)
      if (lastEntryDirty) {
        transaction.run(
          "INSERT OR REPLACE INTO meta (key, value) VALUES ('last_entry_ms', ?)",
          String(lastEntryMs),
        )
      }
    },
    committed() {
      if (onDisk !== undefined) for (const build of dirty) onDisk.add(build.runId)
      if (onDisk !== undefined && onDisk.size > MAX_IDS_IN_MEMORY) onDisk = undefined
      dirty.clear()
      lastEntryDirty = false
      if (closed.size > MAX_CLOSED_IN_MEMORY) {
        closed.clear()
        last = undefined
      }
      committedOpen = open.size
      committedLastEntryMs = lastEntryMs
    },
  }
}

const byRunId = (a: BuildState, b: BuildState): number => (a.runId < b.runId ? -1 : 1)

const MAX_RUN_ID = 128

/** Returns the key of a build. Ids of hostile length or form are replaced by their hash. */
export function runKey(runId: string): string {
  if (runId.length <= MAX_RUN_ID && runId.isWellFormed()) return runId
  return `sha256:${hash('sha256', Buffer.from(runId, 'utf16le'), 'hex')}`
}
