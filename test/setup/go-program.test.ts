import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { GO_PROGRAMS, type GoProgram } from './go-build.ts'
import { requireGoProgram } from './go-program.ts'

test.each(Object.keys(GO_PROGRAMS) as GoProgram[])('%s is built once and runs', async (name) => {
  const program = await requireGoProgram(name)
  expect(execFileSync(program, ['--help']).toString()).toContain(name)
})
