/** Control characters, line separators, lone surrogates, and marks that reverse the direction of a text. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu

/**
 * A text from a file on one line of a terminal: `\n`, `\u001b` and the like take the place of characters that would
 * break the line or control the terminal.
 */
export const printable = (text: string): string => text.replaceAll(UNPRINTABLE, escaped)

function escaped(character: string): string {
  const short = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character]
  return short ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
