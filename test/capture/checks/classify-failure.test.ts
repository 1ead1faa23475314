import { expect, test } from 'vitest'
import { classifyFailure } from '../../../src/capture/checks/classify-failure.ts'
import { jestLog, lintLog, lintWarnings } from './logs.ts'

test.each([
  ['lint', lintLog, 'ESLINT_ERROR_NO_ANY'],
  [
    'lint',
    `${lintLog}  3:1  error  'b' is not used  no-unused-vars\n  4:1  error  'c' is not used  no-unused-vars\n`,
    'ESLINT_ERROR_NO_UNUSED_VARS',
  ],
  ['lint', '/w/a.ts\n  1:1  error  Parsing error: Unexpected token\n', 'ESLINT_ERROR'],
  ['lint', lintWarnings, 'LINT_FAILURE'],
  ['test', jestLog, 'JEST_FAILURE'],
  ['test', ' Test Files  1 failed (1)\n', 'VITEST_FAILURE'],
  ['test', 'src/a.test.ts:3:5 - error TS2345: no\n', 'TSC_ERROR'],
  ['test', 'Segmentation fault\n', 'TEST_FAILURE'],
  ['lint', '[warn] eslint.config.js\n[warn] Code style issues found\n', 'LINT_FAILURE'],
  ['test', `${jestLog}      at Object.<anonymous> (eslint.config.js:3:5)\n`, 'JEST_FAILURE'],
  ['test', `${jestLog}    Received: "\n  1:9  error  Unexpected any  no-explicit-any\n"`, 'JEST_FAILURE'],
  ['test', lintLog, 'ESLINT_ERROR_NO_ANY'],
  ['lint', `${lintWarnings}\nESLint found too many warnings (maximum: 0).\n`, 'ESLINT_ERROR_NO_CONSOLE'],
  ['test', 'ℹ fail 0\nℹ cancelled 1\n', 'NODE_TEST_FAILURE'],
  ['test', 'ℹ fail 0\nℹ cancelled 0\n', 'TEST_FAILURE'],
  ['build', 'webpack compiled with 1 error\n', 'BUILD_FAILURE'],
] as const)('reads a %s log', (kind, log, type) => {
  expect(classifyFailure(kind, kind, log)).toBe(type)
})
