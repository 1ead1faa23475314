import crypto from 'node:crypto'

/** How many bytes before a position its marker covers. */
export const MARKER_BYTES = 1_024

const DIGEST_CHARS = 22
const digestText = Buffer.alloc(DIGEST_CHARS)

/** Of at most `MARKER_BYTES` bytes; short, since there is one for every file ever read. */
export function digest(bytes: Uint8Array): string {
  if (bytes.length === 0) return ''
  // Through bytes: a slice of the text would keep all of it in memory.
  digestText.write(crypto.hash('sha256', bytes, 'base64url'), 'latin1')
  return digestText.toString('latin1')
}
