import { ESLINT, ESLINT_TOO_MANY_WARNINGS, ESLINT_WARNING, TSC, type CheckKind } from './classify-failure.ts'
import { truncateText } from '../truncate-text.ts'

/** Terminal control sequences: they cost tokens and carry no information. */
// eslint-disable-next-line no-control-regex -- they begin with one
const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g

export const plainText = (log: string): string => log.replaceAll(ANSI, '').replaceAll('\r\n', '\n')

/**
 * The part of a failed check's log (plain text) that an agent needs for the fix: compiler errors, lint errors by file,
 * failing tests. The whole log if none of these is found. At most `limitChars` characters plus a marker for the cut.
 */
export function relevantLog(log: string, limitChars: number, kind: CheckKind = 'other'): string {
  const all = log.split('\n')
  const top = topOf(all)
  const lines = all.filter((line, i) => !(i < top && ECHO.test(line)) && !isNoise(line))
  const lint = (): string[] | undefined => lintErrors(lines, ESLINT) ?? lintWarnings(lines)
  // In the same order as `classifyFailure`.
  const found =
    compilerErrors(lines) ??
    (kind === 'test' ? (failingTests(lines) ?? lint()) : (lint() ?? failingTests(lines))) ??
    lines
  return truncateText(found.join('\n').trim(), limitChars)
}

/** npm's echo of a script (`> sum@1.0.0 build`), not a line of a code frame (`> 2 | const x = ;`). */
const ECHO = /^> (?!\s*\d+ \|)/

/** The index of the script's first line of output. `> ` is npm's echo only above it. */
function topOf(lines: readonly string[]): number {
  const first = lines.findIndex((line) => !ECHO.test(line) && !/^(\s*|npm warn .*)$/.test(line))
  return first === -1 ? 0 : first
}

/** Lines that npm prints around a script, and the path of its own log. */
const isNoise = (line: string): boolean =>
  /^npm (error|ERR!) (Lifecycle|code ELIFECYCLE|A complete log|path |workspace |location )|_logs\/.*-debug-\d\.log/.test(
    line,
  )

/** Each error line with the indented explanation below it. */
function compilerErrors(lines: readonly string[]): string[] | undefined {
  let keeping = false
  const kept = lines.filter((line) => {
    if (TSC.test(line)) keeping = true
    else if (!/^\s+\S/.test(line)) keeping = false
    return keeping
  })
  return kept.length > 0 ? kept : undefined
}

/** Each line that matches, below the name of its file. */
function lintErrors(lines: readonly string[], kind: RegExp): string[] | undefined {
  const kept: string[] = []
  let file = ''
  for (const line of lines) {
    if (/^(\/|[A-Za-z]:\\)/.test(line)) file = line
    else if (kind.test(line)) {
      if (file !== '') kept.push(file)
      file = ''
      kept.push(line)
    }
  }
  return kept.length > 0 ? kept : undefined
}

/** Warnings, if they made the check fail (`--max-warnings`). */
function lintWarnings(lines: readonly string[]): string[] | undefined {
  const verdict = lines.find((line) => ESLINT_TOO_MANY_WARNINGS.test(line))
  if (verdict === undefined) return undefined
  return [...(lintErrors(lines, ESLINT_WARNING) ?? []), verdict]
}

/** From the first failing test to the end. `✖ 2 problems` is a line of ESLint. */
function failingTests(lines: readonly string[]): string[] | undefined {
  const first = lines.findIndex((line) =>
    /^\s*(●|✖(?! \d+ problems? \()|✗|×|not ok|FAIL|⎯+ Failed)/.test(line),
  )
  return first === -1 ? undefined : lines.slice(first)
}
