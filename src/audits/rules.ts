/** The part of GEMINI.md or of a prompt that concerns an error type. The first match counts. */
const RULES: readonly (readonly [pattern: RegExp, rule: string])[] = [
  [
    /NO_ANY|EXPLICIT_ANY/i,
    'In GEMINI.md, the rule on types: forbid "any" explicitly and show what to write instead ("unknown" with a check, a generic, a named type).',
  ],
  [
    /TSC|TYPE/i,
    'In GEMINI.md, the section on TypeScript: name the strict compiler options, ask for "tsc --noEmit" before the step ends, and give an example for the most frequent error codes in the logs.',
  ],
  [
    /ESLINT|LINT/i,
    'In GEMINI.md, the section on style: state the rules that fail most often as instructions, and ask for the linter with --fix before the step ends.',
  ],
  [
    /JEST|TEST|VITEST|MOCHA/i,
    'In GEMINI.md, the section on tests: describe how tests are structured and what they mock, and ask the agent to run the tests before the step ends.',
  ],
  [
    /NPM|INSTALL|DEPEND/i,
    'In GEMINI.md, the section on dependencies: list the packages and versions to use, and forbid adding others.',
  ],
]

const OTHER =
  'In GEMINI.md, add a rule that names this error and shows the correct form. Read some of its logs first (error_full in the traces).'

/** What to change in GEMINI.md to avoid errors of a type. */
export const ruleFor = (errorType: string): string =>
  RULES.find(([pattern]) => pattern.test(errorType))?.[1] ?? OTHER
