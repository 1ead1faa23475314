import { buildGoProgram, type GoProgram } from './go-build.ts'
import { findProgram, skipTest } from './programs.ts'

/**
 * The path of a Go program, built on first demand into the user's cache directory and kept there.
 * Without Go the test is skipped, and fails where CI=true.
 */
export function requireGoProgram(name: GoProgram): Promise<string> {
  return buildGoProgram(
    name,
    () =>
      findProgram('go') ??
      findProgram('../local/go/bin/go') ??
      skipTest(`needs ${name}, which Go builds, and there is no go on PATH`),
  )
}
