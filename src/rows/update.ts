import fs from 'node:fs'
import path from 'node:path'
import { createBuilds, type Builds } from '../attribute/builds.ts'
import { DEFAULT_PHASE_RULES, type PhaseRule } from '../attribute/phase.ts'
import type { Database } from '../audits/database.ts'
import { attributeRows, buildRow, closeIdle } from '../audits/rows.ts'
import type { Supplement } from '../entry/supplement.ts'
import type { Events } from '../events.ts'
import type { HistoryOptions } from '../history/history.ts'
import { makeDirectorySync } from '../make-directory.ts'
import type { Durable } from '../state/durable.ts'
import { StateError } from '../state/state-error.ts'
import { openStore, type Store } from '../state/store.ts'
import { createRegistry, type Registry } from '../tail/registry.ts'
import {
  MANIFEST,
  NO_ROWS,
  parseManifest,
  placeStaged,
  publish,
  removeLeftovers,
  stagingOf,
  type Manifest,
} from './dataset.ts'
import { readGrowth, type Growth, type GrowthDeps } from './growth.ts'

export interface UpdateOptions extends HistoryOptions {
  /** Where the rows are; created if it is missing. */
  readonly directory: string
  /** In milliseconds. */
  readonly buildTimeout: number
  readonly phase: readonly PhaseRule[]
}

/** A moment of an update, at which a test may end the process. */
export type UpdateStep = 'read' | 'attributed' | 'staged' | 'placed' | 'committed' | 'published'

export interface UpdateDeps extends Omit<GrowthDeps, 'registry' | 'events'> {
  readonly supplement: Supplement
  /** An empty database with spots, for so many entries. */
  readonly openDatabase: (entries: number) => Promise<Database>
  readonly complain: (line: string) => void
  readonly reached?: ((step: UpdateStep) => void) | undefined
}

export interface Updated {
  readonly manifest: Manifest
  /** Entries that this run has added. */
  readonly added: number
  readonly growth: Pick<Growth, 'unfinished' | 'rotated' | 'bytes'>
  /** Whether everything could be read. */
  readonly isComplete: boolean
}

/**
 * How long after its timeout a build without a verdict stays open for entries that come late, as with traces that are
 * copied once a day. A report counts it as closed meanwhile.
 */
const SETTLE_MS = 3 * 86_400_000

/**
 * Adds the rows of what the traces have grown by since the last run. Rows and positions are committed together, by one
 * SQLite transaction: a run that is killed has either added all of its rows or none. Throws if another run is under way.
 */
export async function updateRows(options: UpdateOptions, deps: UpdateDeps): Promise<Updated> {
  const { directory } = options
  makeDirectorySync(directory)
  const store = openRowsStore(directory, deps.nowMs)
  try {
    const before = recover(store, directory)
    const registry = createRegistry(store)
    const faults: string[] = []
    const growth = await readGrowth(options, { ...deps, registry, events: eventsOf(deps, before, faults) })
    try {
      for (const fault of faults) deps.complain(fault)
      const after = await addRows({ options, deps, store, registry, before, growth })
      return {
        manifest: after,
        added: growth.entries,
        growth,
        isComplete: growth.isComplete && faults.length === 0,
      }
    } finally {
      growth.close()
    }
  } finally {
    store.close()
  }
}

/** The state of the rows. Its errors advise about `--rows`, not about the state of `watch`. */
function openRowsStore(directory: string, nowMs: number): Store {
  try {
    return openStore(path.join(directory, 'state'), nowMs)
  } catch (error) {
    if (!(error instanceof StateError)) throw error
    throw new Error(`--rows: ${error.message.replaceAll('--state', '--rows')}`, { cause: error })
  }
}

/** The manifest as the state has it. What a killed run has left behind is put right. */
function recover(store: Store, directory: string): Manifest {
  const [row] = store.all("SELECT value FROM meta WHERE key = 'rows'")
  const file = path.join(directory, MANIFEST)
  if (row === undefined) {
    if (fs.existsSync(file))
      throw new Error(
        `--rows: ${directory} has rows, but its state is gone, so nobody knows what they were read from. Restore ` +
          `${path.join(directory, 'state')}, or use an empty directory.`,
      )
    removeLeftovers(directory, NO_ROWS)
    return NO_ROWS
  }
  const manifest = parseManifest(String(row['value']), path.join(directory, 'state'))
  // Readers may still see the manifest before it.
  publish(directory, manifest)
  removeLeftovers(directory, manifest)
  return manifest
}

interface Addition {
  readonly options: UpdateOptions
  readonly deps: UpdateDeps
  readonly store: Store
  readonly registry: Registry
  readonly before: Manifest
  readonly growth: Growth
}

async function addRows(addition: Addition): Promise<Manifest> {
  const { options, deps, store, registry, before, growth } = addition
  deps.reached?.('read')
  const builds = createBuilds(store, {
    timeoutMs: options.buildTimeout,
    phaseRules: [...options.phase, ...DEFAULT_PHASE_RULES],
  })
  const run = before.run + 1
  const database = await deps.openDatabase(growth.entries)
  try {
    await attributeRows({
      ...deps,
      history: growth,
      sink: database,
      builds,
      settleMs: SETTLE_MS,
      stage: () => store.stage([builds]),
    })
    if (deps.stopped()) throw new Error('Stopped before the rows were written; nothing was changed.')
    closeIdle(builds, database, deps.nowMs - SETTLE_MS)
    deps.reached?.('attributed')
    database.flush()
    deps.progress.update('writing rows', 0, 1, 'files')
    await database.exportParts(stagingOf(options.directory), `run-${String(run).padStart(6, '0')}`)
  } finally {
    database.close()
  }
  deps.reached?.('staged')
  const placed = placeStaged(options.directory)
  deps.reached?.('placed')
  const manifest = nextManifest(addition, run, builds, placed)
  store.commit([builds, registry, rowsPart(manifest)])
  deps.reached?.('committed')
  publish(options.directory, manifest)
  deps.reached?.('published')
  return manifest
}

function nextManifest(
  { options, registry, before, growth }: Addition,
  run: number,
  builds: Builds,
  placed: Pick<Manifest, 'entries' | 'builds'>,
): Manifest {
  const { input } = before
  const newFiles = [...registry.all()].filter((file) => file.id === undefined).length
  return {
    format: 1,
    run,
    build_timeout_ms: options.buildTimeout,
    input: {
      files: input.files + newFiles,
      entries: input.entries + growth.entries,
      rejected_lines: input.rejected_lines + growth.rejectedLines,
      out_of_order: input.out_of_order + growth.outOfOrder,
      in_future: input.in_future + growth.inFuture,
      unfinished_lines: growth.unfinished.lines,
      unfinished_bytes: growth.unfinished.bytes,
      rotated_files: growth.rotated.length,
    },
    entries: [...before.entries, ...placed.entries],
    builds: [...before.builds, ...placed.builds],
    open_builds: builds.unsettled().map(({ build, idleSinceMs }) => ({
      ...buildRow(build),
      outcome: build.outcome,
      idle_since_ms: idleSinceMs,
    })),
  }
}

const rowsPart = (manifest: Manifest): Durable => ({
  write: (transaction) =>
    transaction.run("INSERT OR REPLACE INTO meta (key, value) VALUES ('rows', ?)", JSON.stringify(manifest)),
  committed: () => undefined,
})

/** What tailing reports: failures are collected, everything else is of no interest to a run that ends. */
function eventsOf(deps: UpdateDeps, before: Manifest, faults: string[]): Events {
  const nothing = (): void => undefined
  return {
    lineRejected: nothing,
    entryWarned: nothing,
    modelUnpriced: nothing,
    rootWaiting(root) {
      if (before.run === 0) throw new Error(`${root} does not exist`)
      deps.complain(`${root} does not exist; its rows stay.`)
    },
    rootFound: nothing,
    pathSkipped(where, reason) {
      if (reason === 'not_a_file') faults.push(`${where}: cannot read: neither a file nor a directory`)
    },
    fileFound: nothing,
    rotationFound: nothing,
    compressedFound: (paths) => deps.complain(`Not read, because compressed: ${paths.join(', ')}`),
    fileTruncated: (where) =>
      deps.complain(
        `${where} was truncated or replaced; it is read from its start, and its former rows stay.`,
      ),
    fileRotated: nothing,
    fileGone: nothing,
    fileFailed: (where, operation, error) =>
      faults.push(`${where}: cannot ${operation}: ${messageOf(error)}`),
    fileRecovered: nothing,
    caughtUp: nothing,
    commitFailed: nothing,
    commitRecovered: nothing,
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
