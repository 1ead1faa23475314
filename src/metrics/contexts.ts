import type { Durable, Reader, Transaction } from '../state/durable.ts'
import { OVERFLOW } from './labels.ts'

/** An entry that names no GEMINI.md. */
export const UNKNOWN_CONTEXT = 'unknown'

/** One GEMINI.md revision. */
export interface Context {
  /** First 12 hex digits: the label. */
  readonly hash: string
  readonly fullHash: string
  /** 1, 2, … by first sight; `undefined` until the pass that found it has ended. */
  version: number | undefined
  /** Time of its earliest entry. */
  firstSeenMs: number
  /** Time of its latest entry, never later than when that was read. */
  lastUsedMs: number
  hidden: boolean
}

export interface ContextsOptions {
  readonly cap: number
  /** A context unused for longer leaves the scrape when a new one needs its place. */
  readonly idleMs: number
  readonly onHide: (hash: string) => void
  readonly onUnhide: (hash: string) => void
}

export interface Contexts extends Durable {
  /** The label of an entry's context: its short hash, `unknown`, or `_other` past the cap. */
  admit(fullHash: string | undefined, entryMs: number, nowMs: number): string
  /** Ends a first pass: numbers what it found by entry time; from now on by first sight. */
  numberVersions(): void
  /** As of the last commit; those on the scrape only. */
  shown(): readonly Readonly<Context>[]
  /** As of now, committed or not. */
  current(): Iterable<Readonly<Context>>
}

const SHORT = 12

/** The GEMINI.md revisions seen so far, at most `cap` of them on the scrape. */
export function createContexts(state: Reader, options: ContextsOptions): Contexts {
  const known = new Map<string, Context>()
  const dirty = new Set<Context>()
  let active = 0
  let live = false
  let last: Context | undefined
  let shown: readonly Readonly<Context>[] = []
  for (const row of state.all('SELECT * FROM contexts')) {
    const context: Context = {
      hash: String(row['hash']),
      fullHash: String(row['full_hash']),
      version: row['version'] === null ? undefined : Number(row['version']),
      firstSeenMs: Number(row['first_seen_ms']),
      lastUsedMs: Number(row['last_used_ms']),
      hidden: row['hidden'] === 1,
    }
    known.set(context.hash, context)
    if (!context.hidden) active++
  }
  snapshot()

  function snapshot(): void {
    shown = [...known.values()].filter((c) => !c.hidden && c.version !== undefined).map((c) => ({ ...c }))
  }

  /** Makes room for one more, by taking the longest idle one off the scrape. */
  function makeRoom(nowMs: number): boolean {
    if (active < options.cap) return true
    let idlest: Context | undefined
    for (const context of known.values()) {
      if (!context.hidden && (idlest === undefined || context.lastUsedMs < idlest.lastUsedMs))
        idlest = context
    }
    if (idlest === undefined || nowMs - idlest.lastUsedMs <= options.idleMs) return false
    idlest.hidden = true
    active--
    dirty.add(idlest)
    options.onHide(idlest.hash)
    return true
  }

  function nextVersion(): number {
    let highest = 0
    for (const { version } of known.values()) highest = Math.max(highest, version ?? 0)
    return highest + 1
  }

  function use(context: Context, entryMs: number, nowMs: number): void {
    const usedMs = Math.min(entryMs, nowMs)
    if (entryMs >= context.firstSeenMs && usedMs <= context.lastUsedMs) return
    context.firstSeenMs = Math.min(context.firstSeenMs, entryMs)
    context.lastUsedMs = Math.max(context.lastUsedMs, usedMs)
    dirty.add(context)
  }

  return {
    admit(fullHash, entryMs, nowMs) {
      if (fullHash === undefined) return UNKNOWN_CONTEXT
      // Neighbouring entries share their context.
      if (last !== undefined && fullHash === last.fullHash && !last.hidden) {
        use(last, entryMs, nowMs)
        return last.hash
      }
      const hash = fullHash.slice(0, SHORT)
      const found = known.get(hash)
      if (found !== undefined) {
        if (found.hidden) {
          if (!makeRoom(nowMs)) return OVERFLOW
          found.hidden = false
          active++
          dirty.add(found)
          options.onUnhide(hash)
        }
        use(found, entryMs, nowMs)
        last = found
        return hash
      }
      if (!makeRoom(nowMs)) return OVERFLOW
      const context: Context = {
        hash,
        fullHash,
        version: live ? nextVersion() : undefined,
        firstSeenMs: entryMs,
        lastUsedMs: Math.min(entryMs, nowMs),
        hidden: false,
      }
      known.set(hash, context)
      active++
      dirty.add(context)
      return hash
    },
    numberVersions() {
      live = true
      const fresh = [...known.values()].filter((context) => context.version === undefined)
      for (const context of fresh.sort((a, b) => a.firstSeenMs - b.firstSeenMs)) {
        context.version = nextVersion()
        dirty.add(context)
      }
    },
    shown: () => shown,
    current: () => known.values(),
    write(transaction: Transaction) {
      for (const c of dirty) {
        transaction.run(
          `INSERT INTO contexts (hash, full_hash, version, first_seen_ms, last_used_ms, hidden) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (hash) DO UPDATE SET version = excluded.version, first_seen_ms = excluded.first_seen_ms,
             last_used_ms = excluded.last_used_ms, hidden = excluded.hidden`,
          c.hash,
          c.fullHash,
          c.version ?? null,
          c.firstSeenMs,
          c.lastUsedMs,
          c.hidden ? 1 : 0,
        )
      }
    },
    committed() {
      if (dirty.size === 0) return
      dirty.clear()
      snapshot()
    },
  }
}
