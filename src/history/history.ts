import path from 'node:path'
import type { LinePlace } from '../events.ts'
import { nodeFileSystem } from '../tail/file-system.ts'
import { createReader, type LineSink } from '../tail/reader.ts'
import { scan } from '../tail/scan.ts'
import type { Sighting } from '../tail/sightings.ts'
import type { Registry } from '../tail/registry.ts'
import { newFile, pendingBytes, type TrackedFile } from '../tail/tracked-file.ts'
import { ChangedFile, createLineReader } from './line-reader.ts'
import type { Progress } from './progress.ts'
import { createRecorder } from './recorder.ts'
import { listRotated } from './rotated.ts'
import type { Scratch } from './scratch.ts'
import { createTimeline, type Timeline } from './timeline.ts'

export interface HistoryOptions {
  readonly paths: readonly string[]
  readonly fileName: string
  readonly maxLineBytes: number
  readonly followSymlinks: boolean
}

export interface HistoryDeps {
  /** Receives everything except valid lines: rejected lines, bytes, truncations. */
  readonly sink: LineSink
  /** Called for a whole entry on one line with other records. */
  readonly onWelded?: (place: LinePlace) => void
  /** Creates the record of a file, which then follows what is read; `backfill` keeps it in the state. */
  readonly track?: Registry['add']
  /** Called for a file or directory that cannot be read; the others are still read. */
  readonly onFault: (path: string, cause: string) => void
  readonly progress: Progress
  /** Takes the positions of the entries if there are many. */
  readonly scratch: Scratch
  /** Later timestamps are in the future. */
  readonly nowMs: number
  /** Checked between slices. */
  readonly stopped: () => boolean
}

export interface HistorySpot {
  readonly place: LinePlace
  /** When the entry counts: never before that of an earlier one. */
  readonly timeMs: number
}

interface HistoryLine extends HistorySpot {
  readonly text: string
}

export interface History {
  readonly files: readonly TrackedFile[]
  /** Valid entries. */
  readonly entries: number
  /** Entries with an earlier timestamp than one before them in their file. They count in the file's order. */
  readonly outOfOrder: number
  /** Entries with a timestamp in the future. */
  readonly inFuture: number
  readonly rejectedLines: number
  /** Last lines without a newline: they may be incomplete, so they are left out. */
  readonly unfinished: { readonly lines: number; readonly bytes: number }
  /** Rotated files next to the traces, by name; they are not read. */
  readonly rotated: readonly string[]
  /** Bytes read from all files. */
  readonly bytes: number
  /** Positions of all entries in merged order, and when they count. */
  spots(): Iterable<HistorySpot>
  /** All valid lines, read again from the files: in a file in its own order, the files merged by entry time. */
  lines(): Iterable<HistoryLine>
  /** Removes the positions. */
  close(): void
}

const SLICE_BYTES = 1024 * 1024

/**
 * Reads everything below the paths once, with the reader and the rules of `watch`, and records the position of each
 * entry, so that the entries can be read again, merged by time. Memory does not grow with their number, but by about
 * 0.6 kB per file.
 * Throws if a path does not exist, or if a file is truncated or rewritten during the run: its old and its new content
 * would both be counted.
 */
export async function readHistory(options: HistoryOptions, deps: HistoryDeps): Promise<History> {
  const timeline = createTimeline(deps.scratch, deps.nowMs)
  const files: TrackedFile[] = []
  const recorder = createRecorder(deps, timeline, () => files.length - 1)
  const { counts } = recorder
  const sink: LineSink = {
    ...recorder.sink,
    truncated(file, position) {
      if (position > 0) throw new ChangedFile(file.path)
    },
  }
  const reader = createReader(sink, { maxLineBytes: options.maxLineBytes, sliceBytes: SLICE_BYTES })

  const found = await findTraces(options, deps)
  const totalBytes = found.reduce((sum, { facts }) => sum + facts.size, 0)
  for (const sighting of found) {
    if (deps.stopped()) break
    await readFile(sighting)
  }
  timeline.end()

  async function readFile({ path: from }: Sighting): Promise<void> {
    try {
      const handle = await nodeFileSystem.open(from)
      try {
        const file = (deps.track ?? newFile)(from, await handle.facts())
        files.push(file)
        while ((await reader.readSlice(file, handle, 0)) === 'more' && !deps.stopped()) {
          deps.progress.update('reading', counts.bytes, totalBytes, 'B')
        }
      } finally {
        await handle.close()
      }
    } catch (error) {
      if (error instanceof ChangedFile) throw error
      deps.onFault(from, `cannot read: ${messageOf(error)}`)
    }
  }

  return {
    files,
    entries: timeline.count(),
    outOfOrder: counts.outOfOrder,
    inFuture: counts.inFuture,
    rejectedLines: counts.rejectedLines,
    unfinished: unfinishedOf(files),
    rotated: listRotated(files.map((file) => file.path)),
    bytes: counts.bytes,
    spots: () => spotsOf(timeline, files),
    lines: () => linesOf(timeline, files),
    close: () => timeline.close(),
  }
}

/** Every trace below the paths, each file once. Throws for a path that does not exist. */
async function findTraces(options: HistoryOptions, deps: HistoryDeps): Promise<Sighting[]> {
  const result = await scan(
    nodeFileSystem,
    options.paths.map((root) => path.resolve(root)),
    options,
    (where, operation, error) => deps.onFault(where, `cannot ${operation}: ${messageOf(error)}`),
    (where, reason) => {
      if (reason === 'not_a_file') deps.onFault(where, 'cannot read: neither a file nor a directory')
    },
  )
  const [missing] = result.missingRoots
  if (missing !== undefined) throw new Error(`${missing} does not exist`)
  return once(result.found)
}

function* spotsOf(timeline: Timeline, files: readonly TrackedFile[]): Generator<HistorySpot> {
  for (const { timeMs, file, at, length, line } of timeline.merged()) {
    yield { timeMs, place: { path: (files[file] as TrackedFile).path, line, offset: at, length } }
  }
}

/** The lines of all entries, in the order of the timeline; each is read again from its file. */
export function* linesOf(timeline: Timeline, files: readonly TrackedFile[]): Generator<HistoryLine> {
  const again = createLineReader()
  try {
    for (const { timeMs, file: index, at, length, line } of timeline.merged()) {
      const file = files[index] as TrackedFile
      yield {
        timeMs,
        text: again.read(file, at, length),
        place: { path: file.path, line, offset: at, length },
      }
    }
  } finally {
    again.close()
  }
}

/** Sorts the files by path and drops duplicates: a file that is below two of the paths is read once. */
function once(found: readonly Sighting[]): Sighting[] {
  const byIdentity = new Map<string, Sighting>()
  for (const sighting of found.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const identity = `${sighting.facts.device}:${sighting.facts.inode}`
    if (!byIdentity.has(identity)) byIdentity.set(identity, sighting)
  }
  return [...byIdentity.values()]
}

export function unfinishedOf(files: readonly TrackedFile[]): History['unfinished'] {
  const pending = files.map(pendingBytes).filter((bytes) => bytes > 0)
  return { lines: pending.length, bytes: pending.reduce((sum, bytes) => sum + bytes, 0) }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
