import { hash } from 'node:crypto'
import type { Entry } from '../entry/parse.ts'
import type { Durable, Reader, Transaction } from '../state/durable.ts'
import {
  attribute,
  expire,
  newBuild,
  type AttributedEntry,
  type BuildState,
  type ClosedBuild,
} from './build.ts'
import { createPhaseOf, type PhaseRule } from './phase.ts'

export interface BuildsOptions {
  /** A build idle for longer is closed. */
  readonly timeoutMs: number
  readonly phaseRules?: readonly PhaseRule[]
}

export interface Builds extends Durable {
  /** Adds an entry to its build. `readAtMs` is 0 during a first pass. */
  attribute(entry: Entry, readAtMs: number): AttributedEntry
  /** Closes the builds that have been idle too long and returns them. */
  expire(nowMs: number): ClosedBuild[]
  /** As of the last commit. */
  inProgress(): number
  lastEntryMs(): number | undefined
}

/** Closed builds that stay in memory between commits, for their late entries. */
const MAX_CLOSED_IN_MEMORY = 4_096

/** Every build ever seen: open ones in memory, closed ones on disk, so that none is ever counted twice. */
export function createBuilds(state: Reader, options: BuildsOptions): Builds {
  const phaseOf = createPhaseOf(options.phaseRules)
  const open = new Map<string, BuildState>()
  const closed = new Map<string, BuildState>()
  const dirty = new Set<BuildState>()
  let stored = Number(state.all('SELECT count(*) AS n FROM builds')[0]?.['n'])
  let lastEntryMs = Number(
    state.all("SELECT value FROM meta WHERE key = 'last_entry_ms'")[0]?.['value'] ?? Number.NaN,
  )
  let lastEntryDirty = false
  for (const row of state.all('SELECT state FROM builds WHERE is_open = 1')) {
    const build = thaw(row['state'])
    open.set(runKey(build.runId), build)
  }
  let committedOpen = open.size
  let committedLastEntryMs = lastEntryMs

  function find(key: string): BuildState | undefined {
    const known = open.get(key) ?? closed.get(key)
    if (known !== undefined || stored === 0) return known
    const row = state.all('SELECT state FROM builds WHERE run_id = ?', key)[0]
    if (row === undefined) return undefined
    const build = thaw(row['state'])
    closed.set(key, build)
    return build
  }

  const close = (key: string, build: BuildState): void => {
    open.delete(key)
    closed.set(key, build)
  }

  return {
    attribute(entry, readAtMs) {
      const key = runKey(entry.runId)
      let build = find(key)
      if (build === undefined) {
        build = newBuild(key)
        open.set(key, build)
      }
      const attributed = attribute(build, entry, phaseOf(entry.step), readAtMs)
      if (attributed.closed !== undefined) close(key, build)
      dirty.add(build)
      if (!(lastEntryMs >= entry.timestampMs)) {
        lastEntryMs = entry.timestampMs
        lastEntryDirty = true
      }
      return attributed
    },
    expire(nowMs) {
      const expired: ClosedBuild[] = []
      for (const [key, build] of open) {
        const closedBuild = expire(build, nowMs, options.timeoutMs)
        if (closedBuild === undefined) continue
        close(key, build)
        dirty.add(build)
        expired.push(closedBuild)
      }
      return expired
    },
    inProgress: () => committedOpen,
    lastEntryMs: () => (Number.isNaN(committedLastEntryMs) ? undefined : committedLastEntryMs),
    write(transaction: Transaction) {
      for (const build of dirty) {
        transaction.run(
          `INSERT INTO builds (run_id, is_open, state) VALUES (?, ?, ?)
           ON CONFLICT (run_id) DO UPDATE SET is_open = excluded.is_open, state = excluded.state`,
          build.runId,
          build.outcome === undefined ? 1 : 0,
          freeze(build),
        )
      }
      if (lastEntryDirty) {
        transaction.run(
          "INSERT OR REPLACE INTO meta (key, value) VALUES ('last_entry_ms', ?)",
          String(lastEntryMs),
        )
      }
    },
    committed() {
      stored += dirty.size
      dirty.clear()
      lastEntryDirty = false
      if (closed.size > MAX_CLOSED_IN_MEMORY) closed.clear()
      committedOpen = open.size
      committedLastEntryMs = lastEntryMs
    },
  }
}

const MAX_RUN_ID = 128

/** Ids that are hostile in length or form become their hash: they are keys here, never shown. */
function runKey(runId: string): string {
  if (runId.length <= MAX_RUN_ID && runId.isWellFormed()) return runId
  return `sha256:${hash('sha256', Buffer.from(runId, 'utf16le'), 'hex')}`
}

type Frozen = [
  runId: string,
  outcome: BuildState['outcome'] | null,
  contextFileHash: string | null,
  failingErrorType: string,
  failingLogChars: number | null,
  failed: 0 | 1,
  reworkSteps: number,
  tokens: number,
  startedMs: number,
  lastEntryMs: number,
  lastReadMs: number,
  instructions: string[],
]

/** A list instead of an object: there is one row for every build ever seen. */
function freeze(build: BuildState): string {
  const row: Frozen = [
    build.runId,
    build.outcome ?? null,
    build.contextFileHash ?? null,
    build.failingErrorType,
    build.failingLogChars ?? null,
    build.failed ? 1 : 0,
    build.reworkSteps,
    build.tokens,
    build.startedMs,
    build.lastEntryMs,
    build.lastReadMs,
    build.instructions,
  ]
  return JSON.stringify(row)
}

function thaw(text: unknown): BuildState {
  const row = JSON.parse(String(text)) as Frozen
  return {
    runId: row[0],
    outcome: row[1] ?? undefined,
    contextFileHash: row[2] ?? undefined,
    failingErrorType: row[3],
    failingLogChars: row[4] ?? undefined,
    failed: row[5] === 1,
    reworkSteps: row[6],
    tokens: row[7],
    startedMs: row[8],
    lastEntryMs: row[9],
    lastReadMs: row[10],
    instructions: row[11],
  }
}
