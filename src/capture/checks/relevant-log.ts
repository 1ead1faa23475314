import { ESLINT, ESLINT_TOO_MANY_WARNINGS, ESLINT_WARNING, TSC, type CheckKind } from './classify-failure.ts'
import { truncateText } from '../truncate-text.ts'

/** Control sequences of terminals, which cost tokens and say nothing. */
// eslint-disable-next-line no-control-regex -- they begin with one
const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g

export const plainText = (log: string): string => log.replaceAll(ANSI, '').replaceAll('\r\n', '\n')

/**
 * The part of a failed check's log (plain text) that an agent needs to mend it, at most `limitChars` and a marker:
 * the compiler's errors, the linter's by file, the failing tests. The whole log where none of these is found.
 */
export function relevantLog(log: string, limitChars: number, kind: CheckKind = 'other'): string {
  const all = log.split('\n')
  const top = topOf(all)
  const lines = all.filter((line, i) => !(i < top && ECHO.test(line)) && !isNoise(line))
  const lint = (): string[] | undefined => lintErrors(lines, ESLINT) ?? lintWarnings(lines)
  // In the order in which `classifyFailure` asks.
  const found =
    compilerErrors(lines) ??
    (kind === 'test' ? (failingTests(lines) ?? lint()) : (lint() ?? failingTests(lines))) ??
    lines
  return truncateText(found.join('\n').trim(), limitChars)
}

/** `> sum@1.0.0 build`; not the failing line of a code frame, `> 2 | const x = ;`. */
const ECHO = /^> (?!\s*\d+ \|)/

/** Where the script's own words begin. Only above them is `> ` npm's echo of the script. */
function topOf(lines: readonly string[]): number {
  const first = lines.findIndex((line) => !ECHO.test(line) && !/^(\s*|npm warn .*)$/.test(line))
  return first === -1 ? 0 : first
}

/** What npm prints around a script, and where it keeps its own log. */
const isNoise = (line: string): boolean =>
  /^npm (error|ERR!) (Lifecycle|code ELIFECYCLE|A complete log|path |workspace |location )|_logs\/.*-debug-\d\.log/.test(
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

/** Each line of the kind, below the file it stands in. */
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

/** Warnings fail no check, unless there may be none. */
function lintWarnings(lines: readonly string[]): string[] | undefined {
  const verdict = lines.find((line) => ESLINT_TOO_MANY_WARNINGS.test(line))
  if (verdict === undefined) return undefined
  return [...(lintErrors(lines, ESLINT_WARNING) ?? []), verdict]
}

/** From the first failing test to the end: what passed before says nothing. `✖ 2 problems` is ESLint's. */
function failingTests(lines: readonly string[]): string[] | undefined {
  const first = lines.findIndex((line) =>
    /^\s*(●|✖(?! \d+ problems? \()|✗|×|not ok|FAIL|⎯+ Failed)/.test(line),
  )
  return first === -1 ? undefined : lines.slice(first)
}
