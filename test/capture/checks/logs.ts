// Logs of failed checks, as the tools print them.

export const jestLog =
  'FAIL src/a.test.ts\n  ● adds up\n\n    expect(received).toBe(expected)\n\nTests:       1 failed, 3 passed, 4 total\n'
export const lintLog =
  '/w/src/a.ts\n  1:9  error  Unexpected any. Specify a different type  @typescript-eslint/no-explicit-any\n'
export const lintWarnings = '/w/src/a.ts\n  2:1  warning  Unexpected console statement  no-console\n'
