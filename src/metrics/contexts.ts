import type { Context } from './context.ts'
import type { Durable, Reader, Transaction } from '../state/durable.ts'
import { readContexts, writeContext } from './context-rows.ts'
import { OVERFLOW } from './labels.ts'

/** The label of an entry without a known GEMINI.md. */
export const UNKNOWN_CONTEXT = 'unknown'

export interface ContextsOptions {
  /** Maximum number of revisions on the scrape. */
  readonly cap: number
  /** A revision that has been unused for longer leaves the scrape if a new one needs its place. */
  readonly idleMs: number
  readonly onHide: (hash: string) => void
  readonly onUnhide: (hash: string) => void
}

export interface Contexts extends Durable {
  /**
   * Returns the label of an entry's revision: its short hash, `unknown`, or `_other` past the cap. `project` is the
   * label value of the project that uses it; `''` for none.
   */
  admit(fullHash: string | undefined, project: string, entryMs: number, nowMs: number): string
  /** Ends a first pass: numbers what it found by entry time. From then on, revisions are numbered by first sight. */
  numberVersions(): void
  /** The revisions on the scrape, as of the last commit. */
  shown(): readonly Readonly<Context>[]
  /** All revisions, committed or not. */
  current(): Iterable<Readonly<Context>>
}

const SHORT = 12

/** The GEMINI.md revisions seen so far, at most `cap` of them on the scrape. */
export function createContexts(state: Reader, options: ContextsOptions): Contexts {
  const known = new Map(readContexts(state).map((context) => [context.hash, context]))
  const dirty = new Set<Context>()
  let active = [...known.values()].filter(({ hidden }) => !hidden).length
  let isLive = false
  let last: Context | undefined
  let shown = snapshot(known.values())

  /** Makes room for one more, if necessary by hiding the one that has been idle longest. False if none is idle. */
  function makeRoom(nowMs: number): boolean {
    if (active < options.cap) return true
    const idlest = leastRecentlyUsed(known.values())
    if (idlest === undefined || nowMs - idlest.lastUsedMs <= options.idleMs) return false
    idlest.hidden = true
    active--
    dirty.add(idlest)
    options.onHide(idlest.hash)
    return true
  }

  /** Returns the revision to its place on the scrape. False if there is no room. */
  function unhide(context: Context, nowMs: number): boolean {
    if (!makeRoom(nowMs)) return false
    context.hidden = false
    active++
    dirty.add(context)
    options.onUnhide(context.hash)
    return true
  }

  function add(hash: string, fullHash: string, project: string, entryMs: number, nowMs: number): void {
    const version = isLive ? highestVersion(known.values()) + 1 : undefined
    const lastUsedMs = Math.min(entryMs, nowMs)
    const context = {
      hash,
      fullHash,
      version,
      firstSeenMs: entryMs,
      lastUsedMs,
      projects: [project],
      hidden: false,
    }
    known.set(hash, context)
    active++
    dirty.add(context)
  }

  return {
    admit(fullHash, project, entryMs, nowMs) {
      if (fullHash === undefined) return UNKNOWN_CONTEXT
      // Consecutive entries usually share their revision.
      const hash = fullHash === last?.fullHash ? last.hash : fullHash.slice(0, SHORT)
      const found = fullHash === last?.fullHash ? last : known.get(hash)
      if (found === undefined) {
        if (!makeRoom(nowMs)) return OVERFLOW
        add(hash, fullHash, project, entryMs, nowMs)
        return hash
      }
      if (found.hidden && !unhide(found, nowMs)) return OVERFLOW
      if (noteUse(found, entryMs, nowMs)) dirty.add(found)
      if (noteProject(found, project)) dirty.add(found)
      last = found
      return hash
    },
    numberVersions() {
      isLive = true
      const fresh = [...known.values()].filter(({ version }) => version === undefined)
      let version = highestVersion(known.values())
      for (const context of fresh.sort((a, b) => a.firstSeenMs - b.firstSeenMs)) {
        context.version = ++version
        dirty.add(context)
      }
    },
    shown: () => shown,
    current: () => known.values(),
    write(transaction: Transaction) {
      for (const context of dirty) writeContext(transaction, context)
    },
    committed() {
      if (dirty.size === 0) return
      dirty.clear()
      shown = snapshot(known.values())
    },
  }
}

const snapshot = (contexts: Iterable<Context>): readonly Readonly<Context>[] =>
  [...contexts]
    .filter(({ hidden, version }) => !hidden && version !== undefined)
    .map((context) => ({ ...context }))

function leastRecentlyUsed(contexts: Iterable<Context>): Context | undefined {
  let idlest: Context | undefined
  for (const context of contexts) {
    if (!context.hidden && (idlest === undefined || context.lastUsedMs < idlest.lastUsedMs)) idlest = context
  }
  return idlest
}

function highestVersion(contexts: Iterable<Context>): number {
  let highest = 0
  for (const { version } of contexts) highest = Math.max(highest, version ?? 0)
  return highest
}

/** Extends the time in use by one entry; true if that has changed it. */
function noteUse(context: Context, entryMs: number, nowMs: number): boolean {
  const usedMs = Math.min(entryMs, nowMs)
  if (entryMs >= context.firstSeenMs && usedMs <= context.lastUsedMs) return false
  context.firstSeenMs = Math.min(context.firstSeenMs, entryMs)
  context.lastUsedMs = Math.max(context.lastUsedMs, usedMs)
  return true
}

/** True if the project has not used the revision before. */
function noteProject(context: Context, project: string): boolean {
  if (context.projects.includes(project)) return false
  // Replaced, not changed: what was committed has the former list.
  context.projects = [...context.projects, project].sort()
  return true
}
