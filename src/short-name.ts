/** As long as a label can be; what is longer says no more to anybody. */
export const MAX_NAME_LENGTH = 64

/**
 * The first 64 characters (UTF-16 code units) of a text. A longer text is copied, not sliced: V8 keeps the whole
 * of what a slice was taken from, megabytes of it for as long as anybody keeps the name.
 */
export function shortName(text: string): string {
  if (text.length <= MAX_NAME_LENGTH) return text
  return Buffer.from(text.slice(0, MAX_NAME_LENGTH), 'utf16le').toString('utf16le')
}
