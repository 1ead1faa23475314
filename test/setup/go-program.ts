import { findProgram } from './find-program.ts'
import { buildGoProgram, type GoProgram } from './go-build.ts'
import { skipTest } from './programs.ts'

/**
 * Returns the path of a Go program, which is built into the user's cache directory when it is first needed.
 * Without Go the test is skipped, or fails with CI=true.
 */
export function requireGoProgram(name: GoProgram): Promise<string> {
  return buildGoProgram(
    name,
    () => findProgram('go') ?? skipTest(`needs ${name}, which Go builds, and there is no go on PATH`),
  )
}
