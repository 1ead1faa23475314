import { execFileSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import type { TestProject } from 'vitest/node'
import { findProgram } from './find-program.ts'
import { DEBIAN_PACKAGES, type Program } from './programs.ts'

const POLICY = '/usr/sbin/policy-rc.d'

/**
 * Installs the Debian packages that the tests need, once before all tests.
 * If one cannot be installed, the tests that need it are skipped with the reason (or fail with CI=true).
 * Programs built from source are built by the test that needs them: see go-program.ts.
 */
export default function setup(project: TestProject): void {
  const missing = (Object.keys(DEBIAN_PACKAGES) as Program[]).filter((program) => !findProgram(program))
  const cause =
    missing.length === 0 ? undefined : install([...new Set(missing.map((name) => DEBIAN_PACKAGES[name]))])
  project.provide(
    'installFailures',
    Object.fromEntries(missing.map((name) => [name, cause ?? 'not installed'])),
  )
}

/** Returns why the packages could not be installed, or undefined. */
function install(packages: string[]): string | undefined {
  if (findProgram('apt-get') === undefined) return 'this is not a Debian system; install it by hand'
  if (process.getuid?.() !== 0) return 'only root can install packages; install it by hand'
  try {
    withoutStartingServices(() => {
      announce('apt-get update')
      apt('update')
      for (const name of packages) {
        announce(`apt-get install ${name}`)
        apt('install', '--yes', '--no-install-recommends', name)
      }
    })
    return undefined
  } catch (error) {
    const stderr = (error as { stderr?: Buffer }).stderr?.toString().trim().split('\n').at(-1)
    return `apt-get failed: ${stderr ?? String(error)}`
  }
}

const announce = (what: string): void => void process.stderr.write(`test set-up: ${what}\n`)

function apt(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  execFileSync('apt-get', ['--quiet', ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] })
}

/** Debian starts a package's service when it is installed, unless this policy refuses with exit code 101. */
function withoutStartingServices(run: () => void): void {
  if (existsSync(POLICY)) return run()
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    run()
  } finally {
    rmSync(POLICY)
  }
}
