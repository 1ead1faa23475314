import { isUtf8 } from 'node:buffer'
import { scanObject } from './object-end.ts'
import { parseLine, type Fault, type ParseResult } from './parse.ts'
import type { Entry } from './parsed.ts'

/** A part of a line: a whole entry, or bytes that are none. The parts of a line add up to the line. */
export interface LinePart {
  /** Bytes from the start of the line. */
  readonly offset: number
  /** In bytes. The last part includes the end of the line. */
  readonly length: number
  readonly parsed: ParseResult
}

/** A search that looks at each byte more often, on average, gives up: a hostile line must not hold up the others. */
const MAX_LOOKS_PER_BYTE = 4

const TORN = 'torn record on one line with a whole one: its writer was interrupted'

/**
 * Splits a line that is not valid JSON into whole entries and the bytes between them. A writer that was killed in the
 * middle of a record leaves such a line: the next writer appends its record to the torn one.
 *
 * An entry must begin at a `{`, be a complete JSON object there, and be valid. A text inside a string of another record
 * cannot be one, because JSON escapes the quotes there. An object behind which the JSON of an outer, torn object goes
 * on is a value in it and no record.
 *
 * `line` comes without its end; `length` is that of the line including its end. Returns `undefined` if there is no
 * whole entry in the line.
 */
export function splitWelded(line: Buffer, length: number): LinePart[] | undefined {
  const parts: LinePart[] = []
  let end = 0
  for (const { from, to, entry } of wholeEntries(line) ?? []) {
    const isSpace = isBlank(line, end, from)
    if (!isSpace) parts.push(torn(line, end, from))
    const offset = isSpace ? end : from
    parts.push({ offset, length: to - offset, parsed: { ok: true, entry } })
    end = to
  }
  if (end === 0) return undefined
  if (!isBlank(line, end, line.length)) parts.push(torn(line, end, line.length))
  const last = parts.pop() as LinePart
  return [...parts, { ...last, length: length - last.offset }]
}

const isBlank = (line: Buffer, from: number, to: number): boolean =>
  /^[ \t\r]*$/.test(line.toString('latin1', from, to))

interface Whole {
  readonly from: number
  readonly to: number
  readonly entry: Entry
}

/** `undefined` if the search took too long. */
function wholeEntries(line: Buffer): Whole[] | undefined {
  const found: Whole[] = []
  // One character per byte: positions are those of the bytes, and JSON's grammar needs only ASCII.
  const text = line.toString('latin1')
  let looks = MAX_LOOKS_PER_BYTE * text.length
  let next = 0
  /** Up to here the text of a torn object is valid. */
  let outerEnd = 0
  for (let from = text.indexOf('{'); from !== -1; from = text.indexOf('{', next)) {
    const { isComplete, at: to } = scanObject(text, from)
    looks -= to - from
    if (looks < 0) return undefined
    next = isComplete ? to : from + 1
    if (!isComplete) outerEnd = Math.max(outerEnd, to)
    else if (nextToken(text, to) >= outerEnd) {
      const bytes = line.subarray(from, to)
      const parsed = isUtf8(bytes) ? parseLine(bytes.toString()) : undefined
      if (parsed?.ok === true) found.push({ from, to, entry: parsed.entry })
    }
  }
  return found
}

/** The position of the first character from a position on that is no space. */
function nextToken(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\r') at++
  return at
}

/** Bytes that are no whole entry: what a killed writer wrote of a record, or an object that is not a valid entry. */
function torn(line: Buffer, from: number, to: number): LinePart {
  return { offset: from, length: to - from, parsed: { ok: false, fault: faultOf(line.subarray(from, to)) } }
}

function faultOf(bytes: Buffer): Fault {
  if (!isUtf8(bytes)) return { reason: 'invalid_utf8', field: '', cause: TORN }
  const parsed = parseLine(bytes.toString())
  const isObject = !parsed.ok && parsed.fault.reason === 'schema'
  return isObject ? parsed.fault : { reason: 'invalid_json', field: '', cause: TORN }
}
