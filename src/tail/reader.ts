import type { LinePlace } from '../events.ts'
import type { FileFacts, OpenFile } from './file-system.ts'
import { splitLines } from './lines.ts'
import { digest, MARKER_BYTES, restart, type TrackedFile } from './tracked-file.ts'

const NEWLINE = 10
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** What the reader hands on. Every call belongs to bytes that the file's position has moved past. */
export interface LineSink {
  /** A complete line of valid UTF-8: says whether it could be counted. */
  line(text: string, place: LinePlace, nowMs: number): 'counted' | 'rejected'
  invalidUtf8(place: LinePlace): void
  tooLong(place: LinePlace): void
  bytes(result: 'counted' | 'rejected' | 'skipped', amount: number): void
  truncated(file: TrackedFile, position: number, size: number): void
  /** The file's record differs from the state's. */
  changed(file: TrackedFile): void
}

export interface ReaderOptions {
  /** A longer line is skipped, in bounded memory. */
  readonly maxLineBytes: number
  /** How much one call reads, apart from a line that is longer. */
  readonly sliceBytes: number
}

export interface Reader {
  /**
   * Reads one slice of a file and hands its complete lines to the sink. All that it changes, it changes
   * at once after the last wait, so a commit at any other moment finds positions and counts in step.
   * Says whether there may be more. Throws what the file system throws; the file is unchanged then.
   */
  readSlice(file: TrackedFile, handle: OpenFile, nowMs: number): Promise<'more' | 'end'>
}

/** One reader serves all files in turn: between slices, all that it knows stands in the file's record. */
export function createReader(sink: LineSink, options: ReaderOptions): Reader {
  const { maxLineBytes, sliceBytes } = options
  const buffer = Buffer.allocUnsafe(MARKER_BYTES + sliceBytes)

  /**
   * Bytes from `from`, with up to `MARKER_BYTES` before them, in one read: what is checked is what is read. What has
   * been added beyond `size` meanwhile is left for the next one: a second read might come from other content.
   */
  async function read(
    handle: OpenFile,
    from: number,
    size: number,
  ): Promise<{ before: Buffer; data: Buffer }> {
    const lead = Math.min(MARKER_BYTES, from)
    const wanted = lead + Math.min(sliceBytes, Math.max(0, size - from))
    let filled = 0
    while (filled < wanted) {
      const got = await handle.read(buffer, filled, wanted - filled, from - lead + filled)
      if (got === 0) break
      filled += got
    }
    return {
      before: buffer.subarray(0, Math.min(lead, filled)),
      data: buffer.subarray(lead, Math.max(lead, filled)),
    }
  }

  /** The bytes `[from, to)` and those before them, however many; `undefined` where the file is shorter now. */
  async function readLine(
    handle: OpenFile,
    from: number,
    to: number,
  ): Promise<{ before: Buffer; line: Buffer } | undefined> {
    const lead = Math.min(MARKER_BYTES, from)
    const bytes = Buffer.allocUnsafe(lead + to - from)
    for (let filled = 0; filled < bytes.length;) {
      const got = await handle.read(bytes, filled, bytes.length - filled, from - lead + filled)
      if (got === 0) return undefined
      filled += got
    }
    return { before: bytes.subarray(0, lead), line: bytes.subarray(lead) }
  }

  function advance(file: TrackedFile, result: 'counted' | 'rejected' | 'skipped', bytes: number): void {
    file[result] += bytes
    file.position += bytes
    sink.bytes(result, bytes)
  }

  /** Deals with bytes at the position that end in a newline. */
  function consume(file: TrackedFile, bytes: Buffer, nowMs: number): void {
    let start = 0
    if (file.skipping) {
      start = bytes.indexOf(NEWLINE) + 1
      file.skipping = false
      advance(file, 'skipped', start)
      file.line++
    } else if (file.position === 0 && bytes.subarray(0, BOM.length).equals(BOM)) {
      start = BOM.length
      advance(file, 'skipped', start)
    }
    const place = (): LinePlace => ({ path: file.path, line: ++file.line })
    splitLines(bytes.subarray(start), maxLineBytes, {
      text: (line, length) => advance(file, sink.line(line, place(), nowMs), length),
      blank: (length) => {
        file.line++
        advance(file, 'skipped', length)
      },
      invalidUtf8: (length) => {
        sink.invalidUtf8(place())
        advance(file, 'rejected', length)
      },
      tooLong: (length) => {
        sink.tooLong(place())
        advance(file, 'skipped', length)
      },
    })
  }

  /** No newline up to `file.scannedTo`: the line is unfinished, or longer than we bear. */
  function waitForNewline(file: TrackedFile): void {
    const unfinished = file.scannedTo - file.position
    // A byte order mark is no part of the line that it precedes.
    const bom = file.position === 0 ? BOM.length : 0
    if (!file.skipping && unfinished <= maxLineBytes + bom) return
    if (!file.skipping) {
      file.skipping = true
      sink.tooLong({ path: file.path, line: file.line + 1 })
    }
    advance(file, 'skipped', unfinished)
    file.marker = file.scanMarker
  }

  const settle = (file: TrackedFile, before: Buffer, taken: Buffer): void => {
    file.marker = digest(tail(before, taken))
    file.scannedTo = file.position
    file.scanMarker = file.marker
    sink.changed(file)
  }

  return {
    async readSlice(file, handle, nowMs) {
      const facts = await handle.facts()
      const { before, data } = await read(handle, file.scannedTo, facts.size)
      const scanned = file.scannedTo
      if (facts.size < scanned || digest(before) !== file.scanMarker) {
        return relocate(file, handle, facts)
      }
      file.birthNs = facts.birthNs
      file.lastReadMs = nowMs
      file.size = Math.max(facts.size, scanned + data.length)
      const end = data.lastIndexOf(NEWLINE) + 1
      if (end > 0 && scanned === file.position) {
        consume(file, data.subarray(0, end), nowMs)
        settle(file, before, data.subarray(0, end))
        if (end < data.length) return 'more'
      } else if (end > 0) {
        // The line began in an earlier slice: read from its start again, up to its first newline.
        const stop = scanned + data.indexOf(NEWLINE) + 1
        const whole = await readLine(handle, file.position, stop)
        // Cut off or written anew meanwhile: the next look finds out.
        if (whole === undefined || digest(whole.before) !== file.marker) return lookAgain(file)
        if (whole.line.indexOf(NEWLINE) !== whole.line.length - 1) return lookAgain(file)
        consume(file, whole.line, nowMs)
        settle(file, whole.before, whole.line)
        return 'more'
      } else if (data.length > 0) {
        file.scannedTo = scanned + data.length
        file.scanMarker = digest(tail(before, data))
        waitForNewline(file)
        sink.changed(file)
      }
      if (data.length >= sliceBytes) return 'more'
      if (file.modifiedNs !== facts.modifiedNs) {
        file.modifiedNs = facts.modifiedNs
        sink.changed(file)
      }
      return 'end'
    },
  }

  /** The bytes before `scannedTo` are not what they were: was it the unfinished line alone, or all of it? */
  async function relocate(file: TrackedFile, handle: OpenFile, facts: FileFacts): Promise<'more'> {
    if (file.scannedTo > file.position && facts.size >= file.position) {
      const { before } = await read(handle, file.position, facts.size)
      if (digest(before) === file.marker) return lookAgain(file)
    }
    const { position } = file
    restart(file)
    // What is counted from here on is this content's, should another birth time say that the file is another.
    file.birthNs = facts.birthNs
    sink.changed(file)
    sink.truncated(file, position, facts.size)
    return 'more'
  }

  function lookAgain(file: TrackedFile): 'more' {
    file.scannedTo = file.position
    file.scanMarker = file.marker
    file.modifiedNs = -1n
    return 'more'
  }
}

/** The last bytes of two neighbouring pieces, as many as a marker covers. */
function tail(before: Buffer, data: Buffer): Uint8Array {
  if (data.length >= MARKER_BYTES) return data.subarray(data.length - MARKER_BYTES)
  return Buffer.concat([before, data]).subarray(-MARKER_BYTES)
}
