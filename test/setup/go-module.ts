import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { findProgram } from './find-program.ts'
import { skipTest } from './programs.ts'

/**
 * The directory of a Go module's sources, such as `example.org/module@v1.2.3`, which Go downloads into its own cache when
 * they are first needed. Skips the test if that fails, or fails it with CI=true.
 */
export function requireGoModule(module: string): string {
  const go = findProgram('go') ?? skipTest(`needs ${module}, which Go downloads, and there is no go on PATH`)
  try {
    const output = execFileSync(go, ['mod', 'download', '-json', module], { cwd: tmpdir(), encoding: 'utf8' })
    return (JSON.parse(output) as { Dir: string }).Dir
  } catch (error) {
    return skipTest(`needs ${module}, which Go downloads: ${String(error)}`)
  }
}
