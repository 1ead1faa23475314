import type { BuildInstructions } from './types.ts'

/** Default prompts. When you change a template, change its version too: the audits compare prompt versions. */
export const DEFAULT_INSTRUCTIONS = {
  scaffold: {
    version: 'scaffold-1',
    template: [
      'Create the scaffold of the npm package described below in the current directory: the configuration of the',
      'compiler, the linter and the tests, and empty sources. Where package.json is there already, keep it and',
      'use its scripts build, lint and test. Do not implement the package yet.',
      '',
      '{{specification}}',
    ].join('\n'),
  },
  implement: {
    version: 'implement-1',
    template: [
      'Implement the npm package in the current directory, with tests. It must pass `npm run build`,',
      '`npm run lint` and `npm test`.',
      '',
      '{{specification}}',
    ].join('\n'),
  },
  fix: {
    version: 'fix-1',
    template: [
      '`{{command}}` fails with {{error_type}}. Mend the package in the current directory so that it passes;',
      'do not weaken the checks and do not delete tests.',
      '',
      '{{error_log}}',
    ].join('\n'),
  },
} satisfies BuildInstructions
