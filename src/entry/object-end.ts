/** Deeper objects are not searched: an entry has no use for them, and the memory of a search stays bounded. */
const MAX_DEPTH = 1_000

const SPACE = /[ \t\r\n]*/y
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y
const QUOTE = 0x22
const BACKSLASH = 0x5c

export interface ObjectScan {
  /** Whether a complete JSON object begins at the start. */
  readonly isComplete: boolean
  /** The end of the object, or where the text stopped being one. */
  readonly at: number
}

/** Finds the end of the JSON object that begins at `start`, by the grammar of JSON, without building its value. */
export function scanObject(text: string, start: number): ObjectScan {
  /** The closing brackets that are awaited. */
  const open: string[] = []
  let at = start
  let expected: 'value' | 'key' | 'end of value' = 'value'
  const fail = (): ObjectScan => ({ isComplete: false, at })

  for (;;) {
    at = skip(SPACE, text, at) ?? at
    const character = text[at]
    if (expected === 'end of value') {
      const close = open.at(-1)
      if (character === close) {
        open.pop()
        at++
        if (open.length === 0) return { isComplete: true, at }
      } else if (character === ',') {
        at++
        expected = close === '}' ? 'key' : 'value'
      } else return fail()
    } else if (expected === 'key') {
      const colon = endOfKey(text, at)
      if (colon === undefined) return fail()
      at = colon
      expected = 'value'
    } else if (character === '{' || character === '[') {
      if (open.length === MAX_DEPTH) return fail()
      open.push(character === '{' ? '}' : ']')
      at = skip(SPACE, text, at + 1) ?? at
      if (text[at] === open.at(-1)) expected = 'end of value'
      else if (character === '{') expected = 'key'
    } else {
      const end = character === '"' ? endOfString(text, at) : skip(SCALAR, text, at)
      if (end === undefined) return fail()
      at = end
      expected = 'end of value'
    }
  }
}

/** The position behind `"key":`. */
function endOfKey(text: string, start: number): number | undefined {
  const end = endOfString(text, start)
  const colon = end === undefined ? undefined : skip(SPACE, text, end)
  return colon !== undefined && text[colon] === ':' ? colon + 1 : undefined
}

function endOfString(text: string, start: number): number | undefined {
  if (text.charCodeAt(start) !== QUOTE) return undefined
  for (let at = start + 1; at < text.length;) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) return at + 1
    if (code < 0x20) return undefined
    if (code === BACKSLASH) {
      const end = skip(ESCAPE, text, at)
      if (end === undefined) return undefined
      at = end
    } else at++
  }
  return undefined
}

/** The end of what the pattern matches at a position. */
function skip(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : undefined
}
