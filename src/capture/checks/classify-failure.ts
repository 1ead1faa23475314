/** What a check does. Decides how its log is classified. */
export type CheckKind = 'install' | 'build' | 'lint' | 'test' | 'other'

/** Returns the error type of a failed check from its log: `TSC_ERROR`, `ESLINT_ERROR_NO_ANY`, `JEST_FAILURE`, … */
export function classifyFailure(kind: CheckKind, name: string, log: string): string {
  if (/npm (error|ERR!) Missing script:/.test(log)) return 'NPM_MISSING_SCRIPT'
  if (kind === 'install') return 'NPM_INSTALL_FAILURE'
  if (TSC.test(log)) return 'TSC_ERROR'
  // Before ESLint: a failing test may print the output of a linter.
  const runner = kind === 'test' ? testType(log) : undefined
  return runner ?? eslintType(log) ?? errorTypeOf(name, 'FAILURE')
}

/** `unit tests` → `UNIT_TESTS_FAILURE` */
export const errorTypeOf = (name: string, what: string): string =>
  `${name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}_${what}`

/** `src/a.ts(3,7): error TS2322: …`, or `src/a.ts:3:7 - error TS2322: …` in colour. */
export const TSC = /\berror TS\d{1,5}:/

/** `  12:5  error  Unexpected any. Specify a different type  @typescript-eslint/no-explicit-any` */
export const ESLINT = /^\s+\d+:\d+\s+error\s+.*?(?:\s{2,}([@\w/-]+))?\s*$/
export const ESLINT_WARNING = /^\s+\d+:\d+\s+warning\s+.*?(?:\s{2,}([@\w/-]+))?\s*$/

/** Warnings fail a check only with `--max-warnings`. ESLint prints this line then, and only if there is no error. */
export const ESLINT_TOO_MANY_WARNINGS = /^\s*ESLint found too many warnings/m

/** ESLint's message if it could not lint: a broken configuration, a rule that throws, no files. */
const ESLINT_CRASH = /^\s*(ESLint: \d|ESLint couldn't |Oops! Something went wrong)/m

/** `undefined` if ESLint did not fail. A mention such as `eslint.config.js` is not a failure. */
function eslintType(log: string): string | undefined {
  const errors = rulesBroken(log, ESLINT)
  if (errors.length > 0) return ruleType(errors)
  if (ESLINT_TOO_MANY_WARNINGS.test(log)) return ruleType(rulesBroken(log, ESLINT_WARNING))
  return ESLINT_CRASH.test(log) ? 'ESLINT_ERROR' : undefined
}

function rulesBroken(log: string, pattern: RegExp): string[] {
  return log.split('\n').flatMap((line) => {
    const match = pattern.exec(line)
    return match === null ? [] : [match[1] ?? '']
  })
}

/** Common names that differ from the rule's name. */
const SHORT_NAMES: Readonly<Record<string, string>> = { 'no-explicit-any': 'NO_ANY' }

/** The failure is named after the rule that was violated most often; the first one of several. */
function ruleType(rules: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const rule of rules) if (rule !== '') counts.set(rule, (counts.get(rule) ?? 0) + 1)
  const [most] = [...counts].toSorted((a, b) => b[1] - a[1])
  if (most === undefined) return 'ESLINT_ERROR'
  const rule = most[0].slice(most[0].lastIndexOf('/') + 1)
  return `ESLINT_ERROR_${SHORT_NAMES[rule] ?? rule.toUpperCase().replaceAll('-', '_')}`
}

/** `undefined` if no test runner reports a failed test. */
function testType(log: string): string | undefined {
  if (/^\s*(Test Suites:|Tests:) .*failed/m.test(log) || /^\s*● /m.test(log)) return 'JEST_FAILURE'
  if (/^\s*(Test Files|Tests) {2}.*failed/m.test(log)) return 'VITEST_FAILURE'
  // node:test reports a test that timed out as cancelled, not as failed.
  if (/^(# |ℹ )(fail|cancelled) [1-9]/m.test(log)) return 'NODE_TEST_FAILURE'
  return undefined
}
