import { ESLINT, TSC } from './classify-failure.ts'
import { truncateText } from './truncate-text.ts'

/** Control sequences of terminals, which cost tokens and say nothing. */
// eslint-disable-next-line no-control-regex -- they begin with one
const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g

export const plainText = (log: string): string => log.replaceAll(ANSI, '').replaceAll('\r\n', '\n')

/**
 * The part of a failed check's log (plain text) that an agent needs to mend it, at most `limitChars` and a marker:
 * the compiler's errors, the linter's by file, the failing tests. The whole log where none of these is found.
 */
export function relevantLog(log: string, limitChars: number): string {
  const lines = log.split('\n').filter((line) => !isNoise(line))
  const found = compilerErrors(lines) ?? lintErrors(lines) ?? failingTests(lines) ?? lines
  return truncateText(found.join('\n').trim(), limitChars)
}

/** What npm prints around a script, and where it keeps its own log. */
const isNoise = (line: string): boolean =>
  /^> |^npm (error|ERR!) (Lifecycle|code ELIFECYCLE|A complete log|path |workspace |location )|_logs\/.*-debug-\d\.log/.test(
    line,
  )

/** Each error line and the indented explanation below it. */
function compilerErrors(lines: readonly string[]): string[] | undefined {
  let keeping = false
  const kept = lines.filter((line) => {
    if (TSC.test(line)) keeping = true
    else if (!/^\s+\S/.test(line)) keeping = false
    return keeping
  })
  return kept.length > 0 ? kept : undefined
}

/** Each error line, below the file it stands in. Warnings do not fail a check. */
function lintErrors(lines: readonly string[]): string[] | undefined {
  const kept: string[] = []
  let file = ''
  for (const line of lines) {
    if (/^(\/|[A-Za-z]:\\)\S*$/.test(line)) file = line
    else if (ESLINT.test(line)) {
      if (file !== '') kept.push(file)
      file = ''
      kept.push(line)
    }
  }
  return kept.length > 0 ? kept : undefined
}

/** From the first failing test to the end: what passed before says nothing. */
function failingTests(lines: readonly string[]): string[] | undefined {
  const first = lines.findIndex((line) => /^\s*(●|✖|✗|×|not ok|FAIL|⎯+ Failed)/.test(line))
  return first === -1 ? undefined : lines.slice(first)
}
