/** Estimates the tokens of a text. docs/capture.md shows how to use a real tokenizer. */
export type TokenEstimator = (text: string) => number

/** How far `estimateTokens` and `estimateO200kTokens` may be off, as a share. docs/capture.md has the errors by kind of text. */
export const ESTIMATE_ERROR = 0.2

/**
 * The tokens that each piece of text adds, on average. Fitted to the real tokenizers on prose in twelve languages, source
 * code, JSON, diffs, traces, logs, hashes and encoded bytes. docs/capture.md has the table of errors.
 */
interface Costs {
  /** A run of letters. */
  readonly word: number
  readonly letter: number
  /** A capital inside a word: `camelCase`. */
  readonly capital: number
  /** A change of case after one or two letters, as in base64. */
  readonly jumble: number
  readonly digit: number
  /** A run of up to three digits. */
  readonly digits: number
  /** A run of ASCII symbols. */
  readonly symbols: number
  readonly symbol: number
  /** A line break, or a run of up to 32 spaces. */
  readonly indent: number
  /** Added to a Latin letter with a mark. */
  readonly accent: number
  readonly cyrillic: number
  readonly greek: number
  readonly kana: number
  readonly han: number
  readonly hangul: number
}

const GEMMA_3: Costs = {
  word: 0.755,
  letter: 0.071,
  capital: 0.369,
  jumble: 1.545,
  digit: 1.139,
  digits: 0,
  symbols: 0.647,
  symbol: 0.142,
  indent: 1.239,
  accent: 0.786,
  cyrillic: 0.31,
  greek: 0.433,
  kana: 0.448,
  han: 0.633,
  hangul: 0.643,
}

const O200K: Costs = {
  word: 0.611,
  letter: 0.105,
  capital: 0,
  jumble: 1.539,
  digit: 0,
  digits: 1.362,
  symbols: 0,
  symbol: 0.373,
  indent: 1.158,
  accent: 1.138,
  cyrillic: 0.343,
  greek: 0.431,
  kana: 0.739,
  han: 0.778,
  hangul: 0.76,
}

/** A symbol that stands there for the third time or more, as in a rule of dashes. */
const REPEATED = 0.05
/** A letter with marks of Vietnamese, which mostly belongs to the token of its word. */
const VIETNAMESE = 0.1
/** Not measured: letters of other alphabets, such as Arabic and Thai. */
const OTHER_LETTER = 0.4
/** Arrows, boxes, marks. */
const PICTOGRAPH = 1
/** Half of a character, such as of an emoji. */
const SURROGATE = 0.5

const SPACES_PER_TOKEN = 32
const DIGITS_PER_TOKEN = 3

/** Classes of characters. Classes up to `MARKED` are letters of words. */
const [LOWER, UPPER, MARKED, DIGIT, SYMBOL, SPACE, BREAK, CYRILLIC, GREEK, KANA, HAN, HANGUL, REST] = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
] as const

const ASCII = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  if (/[a-z]/.test(character)) return LOWER
  if (/[A-Z]/.test(character)) return UPPER
  if (/[0-9]/.test(character)) return DIGIT
  if (character === '\n') return BREAK
  if (/[ \t\r]/.test(character)) return SPACE
  return code < 32 || code === 127 ? REST : SYMBOL
})

const isVietnamese = (code: number): boolean => code >= 0x1e00 && code < 0x1f00

function classOf(code: number): number {
  if (code < 0x80) return ASCII[code] as number
  if ((code >= 0xc0 && code < 0x250) || isVietnamese(code)) return MARKED
  if (code >= 0x370 && code < 0x400) return GREEK
  if (code >= 0x400 && code < 0x530) return CYRILLIC
  if ((code >= 0x3040 && code < 0x3100) || (code >= 0xff66 && code < 0xff9e)) return KANA
  if (code >= 0x3400 && code < 0xa000) return HAN
  if (code >= 0xac00 && code < 0xd7b0) return HANGUL
  return REST
}

/**
 * Estimates the tokens of a text for models of the Gemini family, by the tokenizer of Gemma 3: one pass, without a
 * vocabulary.
 */
export const estimateTokens: TokenEstimator = (text) => estimate(text, GEMMA_3)

/** The same for models of OpenAI, whose tokenizer is o200k. */
export const estimateO200kTokens: TokenEstimator = (text) => estimate(text, O200K)

function estimate(text: string, costs: Costs): number {
  const perLetter = [costs.cyrillic, costs.greek, costs.kana, costs.han, costs.hangul]
  let cost = 0
  let previous = 0
  /** Characters of the same class up to here. */
  let run = 0
  /** Letters since the last capital. */
  let sinceCapital = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const kind = classOf(code)
    const isInWord = previous !== 0 && previous <= MARKED
    const before = run
    run = kind === previous ? run + 1 : 1
    if (kind <= MARKED) {
      if (!isInWord) cost += costs.word
      if (kind === UPPER) {
        cost += costs.letter
        if (isInWord && previous !== UPPER) cost += sinceCapital <= 2 ? costs.jumble : costs.capital
        sinceCapital = 0
      } else {
        sinceCapital = isInWord ? sinceCapital + 1 : 1
        if (kind === MARKED) cost += isVietnamese(code) ? VIETNAMESE : costs.letter + costs.accent
        else cost += previous === UPPER && before >= 2 ? costs.letter + costs.jumble : costs.letter
      }
    } else if (kind === DIGIT) cost += costs.digit + (run % DIGITS_PER_TOKEN === 1 ? costs.digits : 0)
    else if (kind === SYMBOL) cost += symbolCost(text, at, run, costs)
    else if (kind === SPACE) cost += run === 2 || run % SPACES_PER_TOKEN === 0 ? costs.indent : 0
    else if (kind === BREAK) cost += costs.indent
    else if (kind === REST) cost += restCost(text, at)
    else cost += perLetter[kind - CYRILLIC] as number
    previous = kind
  }
  return Math.ceil(cost)
}

function symbolCost(text: string, at: number, run: number, costs: Costs): number {
  if (isRepeated(text, at)) return REPEATED
  return costs.symbol + (run === 1 ? costs.symbols : 0)
}

function restCost(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (isRepeated(text, at)) return REPEATED
  if (code >= 0xd800 && code < 0xe000) return SURROGATE
  return code >= 0xc0 && code < 0x2000 ? OTHER_LETTER : PICTOGRAPH
}

/** Whether the same character stands there for the third time or more. */
function isRepeated(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return at > 1 && code === text.charCodeAt(at - 1) && code === text.charCodeAt(at - 2)
}
