import { expect, test } from 'vitest'
import { relevantLog } from '../../../src/capture/checks/relevant-log.ts'
import { jestLog, lintLog, lintWarnings } from './logs.ts'

test('keeps the failures of a jest log', () => {
  expect(relevantLog(`PASS src/b.test.ts\n${jestLog}`, 1000)).toBe(jestLog.trim())
})

test('keeps the errors of a lint log, below their files', () => {
  expect(relevantLog(`${lintWarnings}${lintLog}✖ 2 problems`, 1000)).toBe(lintLog.trimEnd())
})

test('keeps the failing line of a code frame, and drops what npm prints before the script', () => {
  const frame = 'SyntaxError: Unexpected token (2:10)\n\n  1 | let y\n> 2 | const x = ;\n    |           ^'
  expect(relevantLog(`\n> sum@1.0.0 build\n> webpack\n\n${frame}\n`, 1000)).toBe(frame)
  expect(relevantLog(`> 2 | const x = ;\n`, 1000)).toBe('> 2 | const x = ;')
})

test('keeps the failing tests of a test log, without the lint warnings before them', () => {
  const log = `${lintWarnings}\n✖ 1 problem (0 errors, 1 warning)\n\n${jestLog}`
  expect(relevantLog(log, 1000, 'test')).toBe(jestLog.trim())
})

test('keeps the errors of a compiler log, with their explanations', () => {
  const errors = `a.ts(1,1): error TS2322: Type 'x'.\n  Types of property 'y' differ.`
  expect(relevantLog(`> build\n> tsc\n\n${errors}\nnpm error Lifecycle script failed`, 1000)).toBe(errors)
})
