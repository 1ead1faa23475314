/** Longest label value, in characters. */
export const MAX_NAME_LENGTH = 64

/**
 * Returns the first 64 characters (UTF-16 code units) of a text. A longer text is copied, not sliced: V8 keeps the
 * whole string behind a slice, which may be megabytes, for as long as the slice is used.
 */
export function shortName(text: string): string {
  if (text.length <= MAX_NAME_LENGTH) return text
  return Buffer.from(text.slice(0, MAX_NAME_LENGTH), 'utf16le').toString('utf16le')
}
