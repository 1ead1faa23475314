import type { LinePlace } from '../events.ts'
import type { FileFacts, OpenFile } from './file-system.ts'
import { headBytes, headOf, readHead } from './head.ts'
import { splitLines } from './lines.ts'
import { lastBytes, readExactly } from './marker.ts'
import { digest, MARKER_BYTES } from './digest.ts'
import { pendingBytes, type ReadResult, type TrackedFile } from './tracked-file.ts'

const NEWLINE = 10
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** What became of a line. Of a line that holds several records, some bytes may be counted and the rest rejected. */
export type LineVerdict = 'counted' | 'rejected' | { readonly rejectedBytes: number }

/** What the reader hands on. Every call belongs to bytes that the file's position has moved past. */
export interface LineSink {
  /** A complete line of valid UTF-8. */
  line(text: string, place: LinePlace, nowMs: number): LineVerdict
  /** A complete line that is not valid UTF-8, without its end. */
  invalidUtf8(line: Buffer, place: LinePlace, nowMs: number): LineVerdict
  tooLong(place: LinePlace): void
  bytes(result: ReadResult, amount: number): void
  truncated(file: TrackedFile, position: number, size: number): void
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
   * synchronously after its last await, so a commit at any other moment finds positions and counts in step.
   * Says whether there may be more. Throws what the file system throws; the file is unchanged then.
   */
  readSlice(file: TrackedFile, handle: OpenFile, nowMs: number): Promise<'more' | 'end'>
}

interface Context extends ReaderOptions {
  readonly sink: LineSink
  readonly buffer: Buffer
  /**
   * Digest of the first line of the file in turn, noted once the line is dealt with: as long as it is unfinished, other
   * content may take its place.
   */
  firstLine: string | undefined
}

/** Bytes of a file, with up to `MARKER_BYTES` before them. */
interface Window {
  readonly before: Buffer
  readonly data: Buffer
}

/** One reader serves all files in turn: between slices, all that it knows stands in the file's record. */
export function createReader(sink: LineSink, options: ReaderOptions): Reader {
  const buffer = Buffer.allocUnsafe(MARKER_BYTES + options.sliceBytes)
  const context: Context = { ...options, sink, buffer, firstLine: undefined }
  return { readSlice: (file, handle, nowMs) => readSlice(context, file, handle, nowMs) }
}

async function readSlice(
  context: Context,
  file: TrackedFile,
  handle: OpenFile,
  nowMs: number,
): Promise<'more' | 'end'> {
  const facts = await handle.facts()
  const scanned = file.scannedTo
  const got = await readWindow(context, handle, scanned, facts.size)
  if (facts.size < scanned || digest(got.before) !== file.scanMarker)
    return relocate(context, file, handle, facts)
  context.firstLine =
    file.firstLine === '' && file.counted + file.rejected === 0
      ? await findHead(context, file, handle, got.data)
      : undefined
  file.noteRead(facts, scanned + got.data.length, nowMs)
  const window = passNuls(context, file, got)
  const { before, data } = window
  const end = data.lastIndexOf(NEWLINE) + 1
  if (end > 0 && pendingBytes(file) === 0) {
    consume(context, file, { before, data: data.subarray(0, end) }, nowMs)
    if (end < data.length) return 'more'
  } else if (end > 0) {
    return await finishLine(context, file, handle, scanned + data.indexOf(NEWLINE) + 1, nowMs)
  } else if (data.length > 0) waitForNewline(context, file, window)
  if (got.data.length >= context.sliceBytes) return 'more'
  file.noteEnd(facts.modifiedNs)
  return 'end'
}

/**
 * Bytes from `from`, with those before them, in one read: what is checked is what is read. What has
 * been added beyond `size` meanwhile is left for the next one: a second read might come from other content.
 */
async function readWindow(
  { buffer, sliceBytes }: Context,
  handle: OpenFile,
  from: number,
  size: number,
): Promise<Window> {
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

/** Digest of the first line of content that has not been read yet: from `data` if it holds enough, else from the file. */
async function findHead(
  { maxLineBytes }: Context,
  file: TrackedFile,
  handle: OpenFile,
  data: Buffer,
): Promise<string | undefined> {
  const limit = headBytes(maxLineBytes)
  if (pendingBytes(file) === 0) {
    const head = headOf(data, limit)
    if (head !== undefined) return head
  }
  return await readHead(handle, pendingBytes(file) === file.nuls ? file.scannedTo : file.position, limit)
}

/**
 * Skips NUL bytes at the start of a line. They appear if a writer keeps its offset while its file is
 * truncated (copytruncate). They are skipped once something follows them: until then their place may still be
 * written, and they are pending, whatever their number.
 */
function passNuls(context: Context, file: TrackedFile, window: Window): Window {
  const { before, data } = window
  if (file.skipping || pendingBytes(file) !== file.nuls) return window
  let here = 0
  while (data[here] === 0) here++
  const run = file.nuls + here
  if (here === data.length) file.noteNuls(run)
  else if (run > 0) {
    const last = lastBytes(before, data.subarray(0, here))
    advance(context, file, 'skipped', run)
    file.settle(digest(last))
    return { before: last, data: data.subarray(here) }
  }
  return window
}

/** The line began in an earlier slice: reads it from its start, up to its newline before `end`. */
async function finishLine(
  context: Context,
  file: TrackedFile,
  handle: OpenFile,
  end: number,
  nowMs: number,
): Promise<'more'> {
  const lead = Math.min(MARKER_BYTES, file.position)
  const bytes = await readExactly(handle, file.position - lead, lead + end - file.position)
  // Truncated or overwritten meanwhile: the next slice finds out.
  if (bytes === undefined) return lookAgain(file)
  const before = bytes.subarray(0, lead)
  const line = bytes.subarray(lead)
  if (digest(before) !== file.marker || line.indexOf(NEWLINE) !== line.length - 1) return lookAgain(file)
  consume(context, file, { before, data: line }, nowMs)
  return 'more'
}

/** Deals with the data at the position, which ends in a newline. */
function consume(context: Context, file: TrackedFile, { before, data }: Window, nowMs: number): void {
  const { sink } = context
  // All bytes before are there as long as they are no more than a marker covers.
  if (file.prefixBytes < MARKER_BYTES && file.position === before.length)
    file.notePrefix(Buffer.concat([before, data.subarray(0, MARKER_BYTES)]).subarray(0, MARKER_BYTES))
  let start = 0
  if (file.skipping) {
    start = data.indexOf(NEWLINE) + 1
    file.setSkipping(false)
    advance(context, file, 'skipped', start)
    file.endLine()
  } else if (file.position === 0 && data.subarray(0, BOM.length).equals(BOM)) {
    start = BOM.length
    advance(context, file, 'skipped', start)
  }
  const place = (length: number): LinePlace => ({
    path: file.path,
    line: file.endLine(),
    offset: file.position,
    length,
  })
  splitLines(data.subarray(start), context.maxLineBytes, {
    text: (line, length) => settleLine(context, file, sink.line(line, place(length), nowMs), length),
    blank: (length) => {
      file.endLine()
      advance(context, file, 'skipped', length)
    },
    invalidUtf8: (line, length) =>
      settleLine(context, file, sink.invalidUtf8(line, place(length), nowMs), length),
    nuls: (length) => advance(context, file, 'skipped', length),
    tooLong: (length) => {
      noteFirstLine(context, file)
      sink.tooLong(place(length))
      advance(context, file, 'skipped', length)
    },
  })
  file.settle(digest(lastBytes(before, data)))
}

/** The data holds no newline: the line is unfinished, or longer than `maxLineBytes`. */
function waitForNewline(context: Context, file: TrackedFile, { before, data }: Window): void {
  file.scanned(file.scannedTo + data.length, digest(lastBytes(before, data)))
  const unfinished = pendingBytes(file)
  // A byte order mark is no part of the line that it precedes.
  const bom = file.position === 0 ? BOM.length : 0
  if (unfinished === file.nuls) return
  if (!file.skipping && unfinished <= context.maxLineBytes + bom) return
  if (!file.skipping) {
    noteFirstLine(context, file)
    file.setSkipping(true)
    context.sink.tooLong({
      path: file.path,
      line: file.line + 1,
      offset: file.position,
      length: unfinished,
    })
  }
  advance(context, file, 'skipped', unfinished)
  file.settle(file.scanMarker)
}

function noteFirstLine(context: Context, file: TrackedFile): void {
  if (context.firstLine === undefined) return
  file.noteFirstLine(context.firstLine)
  context.firstLine = undefined
}

function settleLine(context: Context, file: TrackedFile, verdict: LineVerdict, length: number): void {
  noteFirstLine(context, file)
  if (typeof verdict === 'string') return advance(context, file, verdict, length)
  advance(context, file, 'counted', length - verdict.rejectedBytes)
  if (verdict.rejectedBytes > 0) advance(context, file, 'rejected', verdict.rejectedBytes)
}

function advance({ sink }: Context, file: TrackedFile, result: ReadResult, bytes: number): void {
  file.take(result, bytes)
  sink.bytes(result, bytes)
}

/** The bytes before `scannedTo` have changed: finds out whether only the unfinished line did, or all content. */
async function relocate(
  context: Context,
  file: TrackedFile,
  handle: OpenFile,
  facts: FileFacts,
): Promise<'more'> {
  if (pendingBytes(file) > 0 && facts.size >= file.position) {
    const { before } = await readWindow(context, handle, file.position, facts.size)
    if (digest(before) === file.marker) return lookAgain(file)
  }
  const { position } = file
  // The birth time too: what is counted from here on is this content's, should it turn out to be another file's.
  file.restart(facts.birthNs)
  context.sink.truncated(file, position, facts.size)
  return 'more'
}

function lookAgain(file: TrackedFile): 'more' {
  file.rescanLine()
  file.distrustTimes()
  return 'more'
}
