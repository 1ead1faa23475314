import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { CACHE, exclusively } from './cache.ts'
import { skipTest } from './programs.ts'

/**
 * The program `node` of a release, such as `22.13.0`. The first call installs it from npm into the user's cache directory.
 * Skips the test if it cannot be installed, or fails it with CI=true.
 */
export async function requireNode(version: string): Promise<string> {
  const name = `node-${process.platform}-${process.arch}`
  const releases = path.join(CACHE, 'node')
  const directory = path.join(releases, version)
  const program = path.join(directory, 'node_modules', name, 'bin/node')
  if (existsSync(program)) return program
  mkdirSync(releases, { recursive: true })
  try {
    await exclusively(path.join(releases, 'lock'), async () => {
      if (existsSync(program)) return
      process.stderr.write(`npm install ${name}@${version} (once)\n`)
      const partial = `${directory}.partial`
      rmSync(partial, { recursive: true, force: true })
      mkdirSync(partial)
      const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error']
      await promisify(execFile)('npm', ['install', ...quiet, '--prefix', partial, `${name}@${version}`])
      // A rename, so that a directory that is there is complete.
      renameSync(partial, directory)
    })
  } catch (error) {
    return skipTest(
      `needs ${name}@${version} of npm: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  return program
}
