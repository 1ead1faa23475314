import { isUtf8 } from 'node:buffer'

const NEWLINE = 10

/** Handles one complete line; its `bytes` include the newline. */
export interface LineHandler {
  /** A line of valid UTF-8, without its end (`\n` or `\r\n`). */
  text(line: string, bytes: number): void
  blank(bytes: number): void
  /** The same for a line that is not valid UTF-8, as bytes. */
  invalidUtf8(line: Buffer, bytes: number): void
  tooLong(bytes: number): void
  /** NUL bytes before a line. */
  nuls(bytes: number): void
}

/**
 * Splits bytes that end in a newline into lines. A line of more than `maxLineBytes`, its newline not
 * counted, is too long.
 */
export function splitLines(bytes: Buffer, maxLineBytes: number, handler: LineHandler): void {
  const valid = isUtf8(bytes)
  let start = 0
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    const from = start
    while (bytes[start] === 0) start++
    if (start > from) handler.nuls(start - from)
    const length = end - start
    if (length > maxLineBytes) handler.tooLong(length + 1)
    else if (!valid && !isUtf8(bytes.subarray(start, end)))
      handler.invalidUtf8(withoutReturn(bytes.subarray(start, end)), length + 1)
    else pass(bytes.toString('utf8', start, end), length + 1, handler)
    start = end + 1
  }
}

const RETURN = 13
const withoutReturn = (line: Buffer): Buffer => (line.at(-1) === RETURN ? line.subarray(0, -1) : line)

/** An entry begins with it: saves the regular expression for nearly every line. */
const BRACE = 123
const BLANK = /^[ \t\r]*$/

function pass(line: string, bytes: number, handler: LineHandler): void {
  if (line.charCodeAt(0) !== BRACE && BLANK.test(line)) handler.blank(bytes)
  else handler.text(line.endsWith('\r') ? line.slice(0, -1) : line, bytes)
}
