import path from 'node:path'
import { parseLine } from '../entry/parse.ts'
import type { Entry } from '../entry/parsed.ts'
import type { LinePlace } from '../events.ts'
import { nodeFileSystem } from '../tail/file-system.ts'
import { createReader, type LineSink } from '../tail/reader.ts'
import { scan, type Sighting } from '../tail/scan.ts'
import type { Registry } from '../tail/registry.ts'
import { newFile, pendingBytes, type TrackedFile } from '../tail/tracked-file.ts'
import { readWelded } from '../welded-line.ts'
import { ChangedFile, createLineReader } from './line-reader.ts'
import type { Progress } from './progress.ts'
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
  let latestMs = Number.NEGATIVE_INFINITY
  let outOfOrder = 0
  let inFuture = 0
  let rejectedLines = 0
  let bytes = 0

  function add({ timestampMs }: Entry, place: LinePlace): void {
    timeline.add(timestampMs, files.length - 1, place.offset, place.length, place.line)
    if (timestampMs < latestMs) outOfOrder++
    if (timestampMs > deps.nowMs) inFuture++
    latestMs = Math.max(latestMs, timestampMs)
  }

  /** Whole entries on one line with torn ones: the torn parts are handed on, as lines of their own. */
  const salvage = (line: Buffer, place: LinePlace, nowMs: number) =>
    readWelded(line, place, {
      entry(entry, at) {
        add(entry, at)
        deps.onWelded?.(at)
      },
      rejected({ reason }, at) {
        rejectedLines++
        const from = at.offset - place.offset
        const part = line.subarray(from, from + at.length)
        if (reason === 'invalid_utf8') deps.sink.invalidUtf8(part, at, nowMs)
        else deps.sink.line(part.toString(), at, nowMs)
      },
    })

  const sink: LineSink = {
    ...deps.sink,
    line(text, place, nowMs) {
      const parsed = parseLine(text)
      if (parsed.ok) {
        add(parsed.entry, place)
        return 'counted'
      }
      const salvaged = parsed.fault.reason === 'invalid_json' && salvage(Buffer.from(text), place, nowMs)
      if (salvaged) return salvaged
      rejectedLines++
      return deps.sink.line(text, place, nowMs)
    },
    invalidUtf8(line, place, nowMs) {
      const salvaged = salvage(line, place, nowMs)
      if (salvaged !== undefined) return salvaged
      rejectedLines++
      return deps.sink.invalidUtf8(line, place, nowMs)
    },
    tooLong(place) {
      rejectedLines++
      deps.sink.tooLong(place)
    },
    bytes(result, amount) {
      bytes += amount
      deps.sink.bytes(result, amount)
    },
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
        latestMs = Number.NEGATIVE_INFINITY
        while ((await reader.readSlice(file, handle, 0)) === 'more' && !deps.stopped()) {
          deps.progress.update('reading', bytes, totalBytes, 'B')
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
    outOfOrder,
    inFuture,
    rejectedLines,
    unfinished: unfinishedOf(files),
    rotated: listRotated(files.map((file) => file.path)),
    bytes,
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
function* linesOf(timeline: Timeline, files: readonly TrackedFile[]): Generator<HistoryLine> {
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

function unfinishedOf(files: readonly TrackedFile[]): History['unfinished'] {
  const pending = files.map(pendingBytes).filter((bytes) => bytes > 0)
  return { lines: pending.length, bytes: pending.reduce((sum, bytes) => sum + bytes, 0) }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
