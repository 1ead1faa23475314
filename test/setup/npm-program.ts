import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { CACHE, exclusively } from './cache.ts'
import { skipTest } from './programs.ts'

/** Programs of npm that are too large for a dependency: each is a native binary of some 400 MB. */
const NPM_PROGRAMS = {
  claude: {
    requirement: '@anthropic-ai/claude-code@2.1.332',
    // Its install script would copy the binary to where the launcher looks for it.
    file: `node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}/claude`,
  },
  codex: { requirement: '@openai/codex@0.171.0', file: 'node_modules/.bin/codex' },
} as const

/**
 * The path of a program of npm. The first call installs it into the user's cache directory. Skips the test if it cannot be
 * installed, or fails it with CI=true.
 */
export async function requireNpmProgram(name: keyof typeof NPM_PROGRAMS): Promise<string> {
  const { requirement, file } = NPM_PROGRAMS[name]
  const packages = path.join(CACHE, 'npm')
  const directory = path.join(packages, requirement.replaceAll('/', '_'))
  const program = path.join(directory, file)
  if (existsSync(program)) return program
  mkdirSync(packages, { recursive: true })
  try {
    await exclusively(path.join(packages, 'lock'), async () => {
      if (!existsSync(program)) await install(requirement, directory)
    })
    if (!existsSync(program)) throw new Error(`${requirement} has no ${file}`)
  } catch (error) {
    return skipTest(`needs ${requirement} of npm: ${error instanceof Error ? error.message : String(error)}`)
  }
  return program
}

async function install(requirement: string, directory: string): Promise<void> {
  process.stderr.write(`npm install ${requirement} (once; some 400 MB, into ${directory})\n`)
  const partial = `${directory}.partial`
  rmSync(partial, { recursive: true, force: true })
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(partial)
  writeFileSync(path.join(partial, 'package.json'), '{ "private": true }')
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock']
  await promisify(execFile)('npm', ['install', ...quiet, requirement], { cwd: partial })
  // A rename, so that a directory that is there is complete.
  renameSync(partial, directory)
}
