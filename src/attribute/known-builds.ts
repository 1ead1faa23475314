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
  /** Those that are open; they may be closed meanwhile. */
  open(): Iterable<BuildState>
  openCount(): number
  /** Call it once the build has an outcome. */
  close(build: BuildState): void
  /** Call it once all that has changed is on disk. */
  written(): void
}

/** Number of closed builds that stay in memory between commits, for late entries. */
const MAX_CLOSED_IN_MEMORY = 4_096
const MAX_SPARE = 10_000

export function createKnownBuilds(state: Reader): KnownBuilds {
  // Apart, because entries mostly belong to one of few open builds: a small map stays in the processor's cache.
  const openByKey = new Map<string, BuildState>()
  const closedByKey = new Map<string, BuildState>()
  let lastNumber = Number(state.all(SELECT_LAST_NUMBER)[0]?.['number'] ?? 0)
  // The closed ones, if this process has closed all of them: a new build then is searched for nowhere else.
  const closed = lastNumber === 0 ? createHashFilter() : undefined
  /** Closed ones that are on disk. Catching up, there are so many that it pays to use them again. */
  const spare: BuildState[] = []
  let last: BuildState | undefined
  /** It was found not to be open: of a new build, that is the first question. */
  let notOpen: string | undefined
  for (const row of state.all(SELECT_OPEN_BUILDS)) addOpen(readBuild(row))

  function addOpen(build: BuildState): BuildState {
    openByKey.set(build.runId, build)
    notOpen = undefined
    return build
  }

  function begin(key: string, hash: number): BuildState {
    const build = newBuild(key, hash, ++lastNumber)
    const used = spare.pop()
    return addOpen(used === undefined ? build : Object.assign(used, build))
  }

  /** The build if it is closed, from memory or from disk. */
  function closedOne(key: string, hash: number): BuildState | undefined {
    if (closed?.mayHave(hash) === false) return undefined
    const found = closedByKey.get(key)
    if (found !== undefined) return found
    const row = state.all(SELECT_BUILD, hash, key)[0]
    if (row === undefined) return undefined
    const build = readBuild(row)
    closedByKey.set(key, build)
    return build
  }

  /** The build if it is open, or is that of the call before. Consecutive calls mostly ask for the same. */
  function lastOrOpen(runId: string): BuildState | undefined {
    if (last?.runId === runId) return last
    if (notOpen === runId) return undefined
    const found = openByKey.get(runKey(runId))
    if (found !== undefined) last = found
    else notOpen = runId
    return found
  }

  return {
    get(runId) {
      const found = lastOrOpen(runId)
      if (found !== undefined) return found
      const key = runKey(runId)
      const hash = runHash(key)
      last = closedOne(key, hash) ?? begin(key, hash)
      return last
    },
    openOne(runId) {
      const build = lastOrOpen(runId)
      return build?.outcome === undefined ? build : undefined
    },
    open: () => openByKey.values(),
    openCount: () => openByKey.size,
    close(build) {
      openByKey.delete(build.runId)
      closedByKey.set(build.runId, build)
      closed?.add(build.runHash)
    },
    written() {
      if (closedByKey.size <= MAX_CLOSED_IN_MEMORY) return
      for (const build of closedByKey.values()) if (spare.length < MAX_SPARE) spare.push(build)
      closedByKey.clear()
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
