import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { CACHE, exclusively } from './cache.ts'
import { requireProgram, skipTest } from './programs.ts'

export interface PythonPackage {
  /** The interpreter that it was installed for. */
  readonly python: string
  /** For `PYTHONPATH`. */
  readonly directory: string
}

/**
 * A package of PyPI at an exact version, such as `kubernetes-validate==1.37.0`. The first call installs it into the user's
 * cache directory. Skips the test if it cannot be installed, or fails it with CI=true. `dependencies: false` leaves out the
 * packages that it asks for.
 */
export async function requirePythonPackage(
  requirement: string,
  { dependencies = true }: { readonly dependencies?: boolean } = {},
): Promise<PythonPackage> {
  const python = path.join(path.dirname(requireProgram('pip3')), 'python3')
  const run = promisify(execFile)
  const { stdout } = await run(python, ['-c', 'import sys; print(sys.implementation.cache_tag)'])
  const packages = path.join(CACHE, 'python')
  const directory = path.join(packages, `${requirement.replace('==', '-')}-${stdout.trim()}`)
  if (existsSync(directory)) return { python, directory }
  mkdirSync(packages, { recursive: true })
  try {
    await exclusively(path.join(packages, 'lock'), async () => {
      if (existsSync(directory)) return
      process.stderr.write(`pip install ${requirement} (once)\n`)
      const partial = `${directory}.partial`
      rmSync(partial, { recursive: true, force: true })
      const quiet = ['--quiet', '--disable-pip-version-check', '--root-user-action', 'ignore']
      const alone = dependencies ? [] : ['--no-deps']
      await run(python, ['-m', 'pip', 'install', ...quiet, ...alone, '--target', partial, requirement])
      // A rename, so that a directory that is there is complete.
      renameSync(partial, directory)
    })
  } catch (error) {
    return skipTest(`needs ${requirement} of PyPI: ${error instanceof Error ? error.message : String(error)}`)
  }
  return { python, directory }
}
