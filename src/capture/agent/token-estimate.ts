/** A text → about how many tokens. Plug in a real tokenizer here; docs/capture.md shows how. */
export type TokenEstimator = (text: string) => number

/**
 * What one piece of a text costs on average, by the kind of piece: fitted to Gemma 3's vocabulary over prose,
 * TypeScript and the logs of compilers, linters, test runners and npm. docs/capture.md has the table.
 */
const COST = {
  word: 0.87,
  digit: 1,
  symbols: 1.06,
  symbol: 0.08,
  indent: 2.23,
  wide: 0.53,
  other: 0.35,
} as const

/** Runs are cut at a length beyond which no token reaches, so that a megabyte of `x` is not one word. */
const PIECES =
  /([A-Za-z]{1,20})|(\d)|([!-/:-@[-`{-~]{1,16})|(\n\s{0,32}|[ \t]{2,32})|([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])|([^\0-\x7f])/g

/** Estimates without a vocabulary, in one pass over the text. */
export const estimateTokens: TokenEstimator = (text) => {
  let cost = 0
  for (const [, word, digit, symbols, indent, wide] of text.matchAll(PIECES)) {
    if (word !== undefined) cost += COST.word
    else if (digit !== undefined) cost += COST.digit
    else if (symbols !== undefined) cost += COST.symbols + COST.symbol * symbols.length
    else if (indent !== undefined) cost += COST.indent
    else if (wide !== undefined) cost += COST.wide
    else cost += COST.other
  }
  return Math.ceil(cost)
}
