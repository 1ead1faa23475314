import { hash } from 'node:crypto'
import type { Reader } from '../state/durable.ts'
import { readBuild, SELECT_BUILD, SELECT_OPEN_BUILDS } from './build-rows.ts'
import { newBuild, type BuildState } from './build.ts'

/** Every build ever seen, so that none is counted twice: open ones in memory, closed ones on disk. */
export interface KnownBuilds {
  /** The build of this run, a new one if it was never seen. */
  get(runId: string): BuildState
  /** The same if it is open. */
  openOne(runId: string): BuildState | undefined
  open(): ReadonlySet<BuildState>
  /** Call it once the build has an outcome. */
  close(build: BuildState): void
  /** Call it once these builds are on disk. */
  written(builds: Iterable<BuildState>): void
}

/** Number of closed builds that stay in memory between commits, for late entries. */
const MAX_CLOSED_IN_MEMORY = 4_096
const MAX_IDS_IN_MEMORY = 200_000

export function createKnownBuilds(state: Reader): KnownBuilds {
  const byKey = new Map<string, BuildState>()
  const open = new Set<BuildState>()
  // All ids on disk, as long as they are few enough: a new build then needs no query.
  let onDisk = state.all('SELECT 1 FROM builds LIMIT 1').length === 0 ? new Set<string>() : undefined
  let last: BuildState | undefined
  for (const row of state.all(SELECT_OPEN_BUILDS)) add(readBuild(row))

  function add(build: BuildState): BuildState {
    byKey.set(build.runId, build)
    if (build.outcome === undefined) open.add(build)
    return build
  }

  function find(key: string): BuildState | undefined {
    const build = byKey.get(key)
    if (build !== undefined || onDisk?.has(key) === false) return build
    const row = state.all(SELECT_BUILD, key)[0]
    return row && add(readBuild(row))
  }

  return {
    get(runId) {
      // Consecutive entries mostly belong to the same build.
      if (last !== undefined && last.runId === runId) return last
      const key = runKey(runId)
      last = find(key) ?? add(newBuild(key))
      return last
    },
    openOne(runId) {
      const build = last?.runId === runId ? last : byKey.get(runKey(runId))
      return build?.outcome === undefined ? build : undefined
    },
    open: () => open,
    close(build) {
      open.delete(build)
    },
    written(builds) {
      if (onDisk !== undefined) for (const build of builds) onDisk.add(build.runId)
      if (onDisk !== undefined && onDisk.size > MAX_IDS_IN_MEMORY) onDisk = undefined
      if (byKey.size - open.size <= MAX_CLOSED_IN_MEMORY) return
      for (const [key, build] of byKey) if (!open.has(build)) byKey.delete(key)
      last = undefined
    },
  }
}

const MAX_RUN_ID = 128

/** Returns the key of a build. Ids of hostile length or form are replaced by their hash. */
export function runKey(runId: string): string {
  if (runId.length <= MAX_RUN_ID && runId.isWellFormed()) return runId
  return `sha256:${hash('sha256', Buffer.from(runId, 'utf16le'), 'hex')}`
}
