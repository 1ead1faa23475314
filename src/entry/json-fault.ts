import { scanObject } from './object-end.ts'

/** Common mistakes: the last character that is JSON, with what follows it, and what to do. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^.[+-]?(?:NaN|Infinity|inf)\b/iu, 'JSON has no such number: write null, or leave the field out'],
  [/^.(?:True|False|None)\b/u, 'This is a value of Python: write the line with json.dumps'],
  [/^.undefined\b/u, 'JSON has no undefined: write null, or leave the field out'],
  [/^.'/u, 'JSON needs double quotes'],
  [/^,[}\]]/u, 'Remove the comma before the closing bracket'],
  [/^:[,}]/u, 'A value is missing after the colon: write null, or leave the field out'],
  [/^.\0/u, 'There are NUL bytes, as in UTF-16: write UTF-8'],
]

/** A line of an entry that was printed with line breaks: a bracket or a text alone, or `"key": …`. */
const INDENTED = /^\s*(?:(?:[{}[\]]|"[^"]*"),?\s*$|"[^"]*"\s*:)/u
const INDENTED_HINT = 'Each entry must be one line, without line breaks inside (jq -c)'

/** Why a text is not JSON: the message of `JSON.parse`, and what to do if the mistake is a common one. */
export function jsonFault(line: string, error: unknown): string {
  // V8's message quotes the text of the line, so it is cut.
  const cause = error instanceof Error ? clip(error.message, 200) : 'not JSON'
  const hint = hintOf(line)
  return hint === undefined ? cause : `${cause}. ${hint}`
}

function hintOf(line: string): string | undefined {
  const start = line.search(/\S/u)
  if (line[start] === '{') {
    const { isComplete, at } = scanObject(line, start)
    const around =
      line
        .slice(Math.max(at - 20, 0), at)
        .trimEnd()
        .slice(-1) + line.slice(at, at + 20)
    const found = isComplete ? undefined : HINTS.find(([pattern]) => pattern.test(around))
    if (found !== undefined) return found[1]
  }
  return INDENTED.test(line.slice(0, 1_000)) ? INDENTED_HINT : undefined
}

const clip = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length)}…` : text
