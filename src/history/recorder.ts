import { parseLine } from '../entry/parse.ts'
import type { Entry } from '../entry/parsed.ts'
import type { LinePlace } from '../events.ts'
import type { LineSink } from '../tail/reader.ts'
import { readWelded } from '../welded-line.ts'
import type { Timeline } from './timeline.ts'

export interface RecorderDeps {
  /** Receives everything except valid lines: rejected lines, bytes, truncations. */
  readonly sink: LineSink
  /** Called for a whole entry on one line with other records. */
  readonly onWelded?: (place: LinePlace) => void
  /** Later timestamps are in the future. */
  readonly nowMs: number
}

export interface Recorder {
  readonly sink: LineSink
  readonly counts: {
    readonly outOfOrder: number
    readonly inFuture: number
    readonly rejectedLines: number
    readonly bytes: number
  }
}

/** Records where the valid entries stand. `fileInTurn` is the number of the file that is being read. */
export function createRecorder(deps: RecorderDeps, timeline: Timeline, fileInTurn: () => number): Recorder {
  const counts = { outOfOrder: 0, inFuture: 0, rejectedLines: 0, bytes: 0 }
  /** The latest timestamp of each file. */
  const latestMs: number[] = []

  function add({ timestampMs }: Entry, place: LinePlace): void {
    const file = fileInTurn()
    timeline.add(timestampMs, file, place.offset, place.length, place.line)
    const before = latestMs[file] ?? Number.NEGATIVE_INFINITY
    if (timestampMs < before) counts.outOfOrder++
    if (timestampMs > deps.nowMs) counts.inFuture++
    latestMs[file] = Math.max(before, timestampMs)
  }

  /** Whole entries on one line with torn ones: the torn parts are handed on, as lines of their own. */
  const salvage = (line: Buffer, place: LinePlace, nowMs: number) =>
    readWelded(line, place, {
      entry(entry, at) {
        add(entry, at)
        deps.onWelded?.(at)
      },
      rejected({ reason }, at) {
        counts.rejectedLines++
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
      counts.rejectedLines++
      return deps.sink.line(text, place, nowMs)
    },
    invalidUtf8(line, place, nowMs) {
      const salvaged = salvage(line, place, nowMs)
      if (salvaged !== undefined) return salvaged
      counts.rejectedLines++
      return deps.sink.invalidUtf8(line, place, nowMs)
    },
    tooLong(place) {
      counts.rejectedLines++
      deps.sink.tooLong(place)
    },
    bytes(result, amount) {
      counts.bytes += amount
      deps.sink.bytes(result, amount)
    },
  }
  return { sink, counts }
}

/** A sink for those who need no more of rejected lines than the recorder counts. */
export const SILENT: LineSink = {
  line: () => 'rejected',
  invalidUtf8: () => 'rejected',
  tooLong: () => undefined,
  bytes: () => undefined,
  truncated: () => undefined,
}
