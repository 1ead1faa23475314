/** Which part of GEMINI.md or of a prompt an error type speaks of; the first match counts. */
const RULES: readonly (readonly [pattern: RegExp, rule: string])[] = [
  [
    /NO_ANY|EXPLICIT_ANY/i,
    'In GEMINI.md, the rule on types: forbid "any" in so many words and show what to write instead ("unknown" with a check, a generic, a named type).',
  ],
  [
    /TSC|TYPE/i,
    'In GEMINI.md, the section on TypeScript: name the strict compiler options, ask for "tsc --noEmit" before the step ends, and give an example for the error codes that stand most in the logs.',
  ],
  [
    /ESLINT|LINT/i,
    'In GEMINI.md, the section on style: state the lint rules that fail most as commands, and ask for the linter with --fix before the step ends.',
  ],
  [
    /JEST|TEST|VITEST|MOCHA/i,
    'In GEMINI.md, the section on tests: say how a test is laid out and mocked here, and ask the agent to run the tests before the step ends.',
  ],
  [
    /NPM|INSTALL|DEPEND/i,
    'In GEMINI.md, the section on dependencies: list the packages and versions to use, and forbid adding others.',
  ],
]

const OTHER =
  'In GEMINI.md, add a rule that names this error and shows the right form; read some of its logs first (error_full in the traces).'

/** What to change where errors of a type cost much. */
export const ruleFor = (errorType: string): string =>
  RULES.find(([pattern]) => pattern.test(errorType))?.[1] ?? OTHER
