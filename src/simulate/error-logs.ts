import type { Random } from './random.ts'

/** The error types with which a simulated verification can fail. */
export const ERROR_TYPES = [
  'TSC_ERROR',
  'ESLINT_ERROR',
  'ESLINT_ERROR_NO_ANY',
  'JEST_FAILURE',
  'NPM_INSTALL_FAILURE',
] as const

export type ErrorType = (typeof ERROR_TYPES)[number]

/** The commands of a verification in order; no command runs after one that fails. */
const COMMANDS = ['npm install', 'npm run build', 'npm run lint', 'npm test'] as const

const COMMANDS_UNTIL: Readonly<Record<ErrorType, number>> = {
  NPM_INSTALL_FAILURE: 1,
  TSC_ERROR: 2,
  ESLINT_ERROR: 3,
  ESLINT_ERROR_NO_ANY: 3,
  JEST_FAILURE: 4,
}

/** Returns the commands that run until the verification fails with the given type, or all if it passes. */
export const commandsAttempted = (failsWith?: ErrorType): string[] =>
  COMMANDS.slice(0, failsWith === undefined ? COMMANDS.length : COMMANDS_UNTIL[failsWith])

/**
 * Returns the output of the failed command in the tool's own format. It consists of complete problems: at least one,
 * and as many as needed to reach about `targetChars` characters (UTF-16 code units).
 */
export function errorLog(type: ErrorType, random: Random, project: string, targetChars: number): string {
  const { head, problem, tail } = TOOLS[type]
  let log = head(project)
  let problems = 0
  do {
    log += problem(random, project)
    problems += 1
  } while (log.length < targetChars)
  return log + tail(problems)
}

/** Log format of one tool: the lines before the problems, each problem, the lines after them. */
interface Tool {
  readonly head: (project: string) => string
  readonly problem: (random: Random, project: string) => string
  readonly tail: (problems: number) => string
}

const SOURCES = ['index', 'types', 'client', 'parser', 'options', 'errors', 'cache'] as const
const TYPE_NAMES = ['Locale', 'Asset', 'Entry', 'Options', 'Token', 'Schema', 'Result'] as const
const NAMES = ['text', 'value', 'options', 'entry', 'token', 'result', 'callback', 'limit'] as const

const at = (random: Random): string => `${random.integer(1, 240)},${random.integer(1, 90)}`

const tsc: Tool = {
  head: () => '> tsc -p .\n\n',
  problem: (random) =>
    `src/${random.pick(SOURCES)}.ts(${at(random)}): error ${random.pick(TSC_PROBLEMS)(random)}\n`,
  tail: () => '',
}

const TSC_PROBLEMS: readonly ((random: Random) => string)[] = [
  (random) => `TS2304: Cannot find name '${random.pick(TYPE_NAMES)}'.`,
  (random) => `TS7006: Parameter '${random.pick(NAMES)}' implicitly has an 'any' type.`,
  (random) => `TS18046: '${random.pick(NAMES)}' is of type 'unknown'.`,
  () => "TS2345: Argument of type 'string' is not assignable to parameter of type 'number'.",
  () =>
    "TS2322: Type 'string | undefined' is not assignable to type 'string'.\n" +
    "  Type 'undefined' is not assignable to type 'string'.",
  (random) => {
    const type = random.pick(TYPE_NAMES)
    return (
      `TS2322: Type '{ id: number; url: undefined; }[]' is not assignable to type '${type}[]'.\n` +
      `  Type '{ id: number; url: undefined; }' is not assignable to type '${type}'.\n` +
      "    Types of property 'id' are incompatible.\n" +
      "      Type 'number' is not assignable to type 'string'."
    )
  },
]

/** ESLint's stylish formatter, one file per problem. */
const eslint = (problem: (random: Random) => string): Tool => ({
  head: () => '> eslint src\n\n',
  problem: (random, project) =>
    `\n/builds/${project}/src/${random.pick(SOURCES)}.ts\n` +
    `  ${random.integer(1, 240)}:${random.integer(1, 90)}  error  ${problem(random)}\n`,
  tail: (problems) =>
    `\n✖ ${problems} problem${problems === 1 ? '' : 's'} (${problems} error${problems === 1 ? '' : 's'}, 0 warnings)\n\n`,
})

const ESLINT_PROBLEMS: readonly ((random: Random) => string)[] = [
  (random) => `'${random.pick(NAMES)}' is defined but never used  @typescript-eslint/no-unused-vars`,
  () => 'Promises must be awaited, end with a call to .catch  @typescript-eslint/no-floating-promises',
  (random) => `'${random.pick(NAMES)}' is never reassigned. Use 'const' instead  prefer-const`,
  () => "Expected '===' and instead saw '=='  eqeqeq",
  () => 'Forbidden non-null assertion  @typescript-eslint/no-non-null-assertion',
]

const TESTS = [
  'fetches a missing entry once',
  'keeps the order of equal keys',
  'rejects an empty input',
  'parses a nested group',
  'expires an entry after its time',
] as const

const jest: Tool = {
  head: () => '> jest --coverage\n\n',
  problem: (random) => {
    const file = random.pick(SOURCES)
    const test = random.pick(TESTS)
    const line = random.integer(12, 180)
    const received = random.integer(2, 9)
    return (
      `FAIL src/${file}.test.ts\n` +
      `  ${file}\n    ✓ returns what it was given (${random.integer(1, 9)} ms)\n    ✕ ${test} (${random.integer(4, 40)} ms)\n\n` +
      `  ● ${file} › ${test}\n\n` +
      '    expect(jest.fn()).toHaveBeenCalledTimes(expected)\n\n' +
      `    Expected number of calls: 1\n    Received number of calls: ${received}\n\n` +
      `      ${line - 1} |     await ${file}.run('a')\n` +
      `    > ${line} |     expect(fetch).toHaveBeenCalledTimes(1)\n` +
      '         |                   ^\n\n' +
      `      at Object.<anonymous> (src/${file}.test.ts:${line}:19)\n\n`
    )
  },
  tail: (problems) => `Tests:       ${problems} failed, ${problems} passed, ${problems * 2} total\n`,
}

const PACKAGES = ['ts-jest', 'eslint', '@typescript-eslint/parser', '@types/jest', 'typescript'] as const

const npm: Tool = {
  head: () => 'npm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree\n',
  problem: (random, project) => {
    const [wanted, by] = [random.pick(PACKAGES), random.pick(PACKAGES)]
    const [found, needed] = [random.integer(5, 9), random.integer(2, 4)]
    return (
      `npm error\nnpm error While resolving: ${project}@0.1.0\nnpm error Found: ${wanted}@${found}.0.0\n` +
      `npm error Could not resolve dependency:\nnpm error peer ${wanted}@"^${needed}.0.0" from ${by}@${needed}.${random.integer(0, 9)}.1\n`
    )
  },
  tail: () => '',
}

const TOOLS: Readonly<Record<ErrorType, Tool>> = {
  TSC_ERROR: tsc,
  ESLINT_ERROR: eslint((random) => random.pick(ESLINT_PROBLEMS)(random)),
  ESLINT_ERROR_NO_ANY: eslint(
    () => 'Unexpected any. Specify a different type  @typescript-eslint/no-explicit-any',
  ),
  JEST_FAILURE: jest,
  NPM_INSTALL_FAILURE: npm,
}
