/** What kind of work a check does; decides how its failure is read. */
export type CheckKind = 'install' | 'build' | 'lint' | 'test' | 'other'

/** A failed check's log → the error type of the audits: `TSC_ERROR`, `ESLINT_ERROR_NO_ANY`, `JEST_FAILURE`, … */
export function classifyFailure(kind: CheckKind, name: string, log: string): string {
  if (/npm (error|ERR!) Missing script:/.test(log)) return 'NPM_MISSING_SCRIPT'
  if (kind === 'install') return 'NPM_INSTALL_FAILURE'
  if (TSC.test(log)) return 'TSC_ERROR'
  const rules = eslintRules(log)
  if (rules.length > 0 || /\bESLint:? |eslint\.config/.test(log)) return eslintType(rules)
  if (kind === 'test') return testType(log)
  return `${name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')}_FAILURE`
}

/** `src/a.ts(3,7): error TS2322: …`, or `src/a.ts:3:7 - error TS2322: …` in colour. */
export const TSC = /\berror TS\d{1,5}:/

/** `  12:5  error  Unexpected any. Specify a different type  @typescript-eslint/no-explicit-any` */
export const ESLINT = /^\s+\d+:\d+\s+error\s+.*?(?:\s{2,}([@\w/-]+))?\s*$/

function eslintRules(log: string): string[] {
  return log.split('\n').flatMap((line) => {
    const match = ESLINT.exec(line)
    return match === null ? [] : [match[1] ?? '']
  })
}

/** The names that people use where they differ from the rule's. */
const SHORT_NAMES: Readonly<Record<string, string>> = { 'no-explicit-any': 'NO_ANY' }

/** The rule broken most often names the failure; the first of them where several are level. */
function eslintType(rules: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const rule of rules) if (rule !== '') counts.set(rule, (counts.get(rule) ?? 0) + 1)
  const [most] = [...counts].toSorted((a, b) => b[1] - a[1])
  if (most === undefined) return 'ESLINT_ERROR'
  const rule = most[0].slice(most[0].lastIndexOf('/') + 1)
  return `ESLINT_ERROR_${SHORT_NAMES[rule] ?? rule.toUpperCase().replaceAll('-', '_')}`
}

function testType(log: string): string {
  if (/^\s*(Test Suites:|Tests:) .*failed/m.test(log) || /^\s*● /m.test(log)) return 'JEST_FAILURE'
  if (/^\s*(Test Files|Tests) {2}.*failed/m.test(log)) return 'VITEST_FAILURE'
  if (/^(# fail|ℹ fail) [1-9]/m.test(log)) return 'NODE_TEST_FAILURE'
  return 'TEST_FAILURE'
}
