/** Share of the kept text that is taken from the beginning. Logs begin with causes and end with summaries. */
const HEAD_SHARE = 0.7

/**
 * At most `limit` characters plus a marker. The middle of a longer text is replaced by a marker that says how much is
 * missing. Never cuts a surrogate pair.
 */
export function truncateText(text: string, limit: number): string {
  if (text.length <= limit) return text
  const headEnd = wholeCharacter(text, Math.floor(limit * HEAD_SHARE))
  const tailStart = wholeCharacter(text, text.length - (limit - headEnd))
  const omitted = tailStart - headEnd
  return `${text.slice(0, headEnd)}\n[… ${String(omitted)} of ${String(text.length)} characters left out …]\n${text.slice(tailStart)}`
}

/** The index, or the one before it if it would split a surrogate pair. */
function wholeCharacter(text: string, index: number): number {
  const code = text.charCodeAt(index)
  const isLowSurrogate = code >= 0xdc00 && code <= 0xdfff
  return isLowSurrogate && index > 0 ? index - 1 : index
}
