import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { requireGoProgram } from './go-program.ts'

test('the Temporal CLI is built once and runs', { timeout: 900_000 }, async () => {
  const program = await requireGoProgram('temporal')
  expect(execFileSync(program, ['--version']).toString()).toContain('temporal')
})
