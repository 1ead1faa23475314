import crypto from 'node:crypto'
import type { Reader } from '../state/durable.ts'
import { runHash } from '../state/run-hash.ts'
import { readBuild, SELECT_BUILD, SELECT_LAST_NUMBER, SELECT_OPEN_BUILDS } from './build-rows.ts'
import { newBuild, type BuildState } from './build.ts'
import { createHashFilter } from './hash-filter.ts'

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
const MAX_SPARE = 10_000

export function createKnownBuilds(state: Reader): KnownBuilds {
  const byKey = new Map<string, BuildState>()
  const open = new Set<BuildState>()
  let lastNumber = Number(state.all(SELECT_LAST_NUMBER)[0]?.['number'] ?? 0)
  // What is on disk, if this process has written all of it: most new builds then need no query.
  const onDisk = lastNumber === 0 ? createHashFilter() : undefined
  /** Closed ones that are on disk. Catching up, there are so many that it pays to use them again. */
  const spare: BuildState[] = []
  let last: BuildState | undefined
  /** Asked for in vain: of a new build, the first question is whether it is open. */
  let absent: string | undefined
  for (const row of state.all(SELECT_OPEN_BUILDS)) add(readBuild(row))

  function add(build: BuildState): BuildState {
    byKey.set(build.runId, build)
    if (build.outcome === undefined) open.add(build)
    absent = undefined
    return build
  }

  function begin(key: string, hash: number): BuildState {
    const build = newBuild(key, hash, ++lastNumber)
    const used = spare.pop()
    return used === undefined ? build : Object.assign(used, build)
  }

  function onDiskOnly(hash: number, key: string): BuildState | undefined {
    if (onDisk?.mayHave(hash) === false) return undefined
    const row = state.all(SELECT_BUILD, hash, key)[0]
    return row && add(readBuild(row))
  }

  /** The build if it is in memory. Consecutive calls mostly ask for the same. */
  function inMemory(runId: string): BuildState | undefined {
    if (last?.runId === runId) return last
    if (absent === runId) return undefined
    const found = byKey.get(runKey(runId))
    if (found !== undefined) last = found
    else absent = runId
    return found
  }

  return {
    get(runId) {
      const found = inMemory(runId)
      if (found !== undefined) return found
      const key = runKey(runId)
      const hash = runHash(key)
      last = onDiskOnly(hash, key) ?? add(begin(key, hash))
      return last
    },
    openOne(runId) {
      const build = inMemory(runId)
      return build?.outcome === undefined ? build : undefined
    },
    open: () => open,
    close(build) {
      open.delete(build)
    },
    written(builds) {
      if (onDisk !== undefined) for (const build of builds) onDisk.add(build.runHash)
      if (byKey.size - open.size <= MAX_CLOSED_IN_MEMORY) return
      for (const build of byKey.values())
        if (build.outcome !== undefined && spare.length < MAX_SPARE) spare.push(build)
      byKey.clear()
      for (const build of open) byKey.set(build.runId, build)
      last = undefined
    },
  }
}

const MAX_RUN_ID = 128

/** Returns the key of a build. Ids of hostile length or form are replaced by their hash. */
export function runKey(runId: string): string {
  if (runId.length <= MAX_RUN_ID && runId.isWellFormed()) return runId
  return `sha256:${crypto.hash('sha256', Buffer.from(runId, 'utf16le'), 'hex')}`
}
