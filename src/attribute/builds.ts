import { hash } from 'node:crypto'
import type { Entry } from '../entry/parsed.ts'
import type { Durable, Reader, Transaction } from '../state/durable.ts'
import {
  OUTCOMES,
  attribute,
  expire,
  newBuild,
  type AttributedEntry,
  type BuildState,
  type ClosedBuild,
  type Outcome,
} from './build.ts'
import { createPhaseOf, type PhaseRule } from './phase.ts'

export interface BuildsOptions {
  /** A build that is idle for longer is closed. */
  readonly timeoutMs: number
  readonly phaseRules?: readonly PhaseRule[]
}

export interface Builds extends Durable {
  /** Adds an entry to its build. `readAtMs` is 0 during a first pass. */
  attribute(entry: Entry, readAtMs: number): AttributedEntry
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
  const idleSince = (build: BuildState): number => Math.max(build.lastEntryMs, build.lastReadMs)
  for (const row of state.all('SELECT run_id, state FROM builds WHERE is_open = 1')) {
    const build = thaw(String(row['run_id']), row['state'])
    open.set(build.runId, build)
  }
  let committedOpen = open.size
  let committedLastEntryMs = lastEntryMs

  function find(key: string): BuildState | undefined {
    const known = open.get(key) ?? closed.get(key)
    if (known !== undefined || onDisk?.has(key) === false) return known
    const row = state.all('SELECT state FROM builds WHERE run_id = ?', key)[0]
    if (row === undefined) return undefined
    const build = thaw(key, row['state'])
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
    attribute(entry, readAtMs) {
      const build = buildOf(entry.runId)
      const attributed = attribute(build, entry, phaseOf(entry.step), readAtMs)
      if (attributed.closed !== undefined) close(build.runId, build)
      dirty.add(build)
      quietUntilMs = Math.min(quietUntilMs, idleSince(build) + options.timeoutMs)
      if (!(lastEntryMs >= entry.timestampMs)) {
        lastEntryMs = entry.timestampMs
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
          quietUntilMs = Math.min(quietUntilMs, idleSince(build) + options.timeoutMs)
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
      for (const build of [...dirty].sort(byRunId)) {
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

type OpenRow = [
  contextFileHash: string | null,
  failingErrorType: string,
  failingLogChars: number | null,
  lastEntryMs: number,
  failed: 0 | 1,
  reworkSteps: number,
  tokens: number,
  startedMs: number,
  lastReadMs: number,
  instructions: string[],
]

/** What late entries of a closed build need. There is one row for every build ever seen, so it is short. */
type ClosedRow = [
  closingContextFileHash: string | null,
  failingErrorType: string,
  failingLogChars: number | null,
  lastEntryMs: number,
  outcome: number,
  /** Only if a late entry has another context. */
  contextFileHash?: string,
]

function freeze(build: BuildState): string {
  return JSON.stringify(build.outcome === undefined ? openRow(build) : closedRow(build, build.outcome))
}

function closedRow(build: BuildState, outcome: Outcome): ClosedRow {
  const row: ClosedRow = [
    packKnown(build.closingContextFileHash),
    build.failingErrorType,
    build.failingLogChars ?? null,
    build.lastEntryMs,
    OUTCOMES.indexOf(outcome),
  ]
  const latest = build.contextFileHash
  if (latest !== undefined && latest !== build.closingContextFileHash) row.push(packHash(latest))
  return row
}

function openRow(build: BuildState): OpenRow {
  return [
    packKnown(build.contextFileHash),
    build.failingErrorType,
    build.failingLogChars ?? null,
    build.lastEntryMs,
    build.failed ? 1 : 0,
    build.reworkSteps,
    build.tokens,
    build.startedMs,
    build.lastReadMs,
    build.instructions,
  ]
}

function thaw(runId: string, text: unknown): BuildState {
  const row = JSON.parse(String(text)) as OpenRow | ClosedRow
  const build = newBuild(runId)
  build.contextFileHash = row[0] === null ? undefined : unpackHash(row[0])
  build.failingErrorType = row[1]
  build.failingLogChars = row[2] ?? undefined
  build.lastEntryMs = row[3]
  if (isClosedRow(row)) {
    build.outcome = OUTCOMES[row[4]]
    build.closingContextFileHash = build.contextFileHash
    if (row[5] !== undefined) build.contextFileHash = unpackHash(row[5])
    return build
  }
  build.failed = row[4] === 1
  build.reworkSteps = row[5]
  build.tokens = row[6]
  build.startedMs = row[7]
  build.lastReadMs = row[8]
  build.instructions = row[9]
  return build
}

/** The row of a closed build is the shorter one, with or without another context. */
const OPEN_FIELDS: OpenRow['length'] = 10
const isClosedRow = (row: OpenRow | ClosedRow): row is ClosedRow => row.length < OPEN_FIELDS

const packKnown = (hash: string | undefined): string | null => (hash === undefined ? null : packHash(hash))

/** Cache: consecutive builds mostly share their context. */
let lastHash = ''
let lastPacked = ''

function packHash(hex: string): string {
  if (hex !== lastHash) {
    lastPacked = Buffer.from(hex, 'hex').toString('base64url')
    lastHash = hex
  }
  return lastPacked
}

const unpackHash = (packed: string): string => Buffer.from(packed, 'base64url').toString('hex')
