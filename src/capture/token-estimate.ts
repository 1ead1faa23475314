/** What a text is: logs, full of paths, digits and punctuation, take more tokens per character than prose and code. */
export type TextKind = 'prose' | 'log'

/** A text → about how many tokens. Plug in a real tokenizer here; docs/capture.md shows how. */
export type TokenEstimator = (text: string, kind: TextKind) => number

/** Calibrated against the vocabulary of Gemma 3; docs/capture.md has the table. */
const CHARS_PER_TOKEN: Record<TextKind, number> = { prose: 4, log: 3 }
/** Scripts without spaces between words: about one token for each character and a half. */
const CHARS_PER_TOKEN_WIDE = 1.5
const WIDE = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g

/** Estimates from the number of characters alone: no vocabulary to load, linear in the text's length. */
export const estimateTokens: TokenEstimator = (text, kind) => {
  const wide = text.match(WIDE)?.length ?? 0
  return Math.ceil((text.length - wide) / CHARS_PER_TOKEN[kind] + wide / CHARS_PER_TOKEN_WIDE)
}
