import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { findProgram, skipTest } from './programs.ts'

/** Programs that no Debian package has, by module at a version. The first build of one may take minutes. */
const GO_PROGRAMS = {
  temporal: 'github.com/temporalio/cli/cmd/temporal@v1.5.1',
} as const

const running = new Map<string, Promise<unknown>>()

/**
 * The path of a Go program, built on first demand into the user's cache directory and kept there.
 * Without Go the test is skipped, and fails where CI=true.
 */
export async function requireGoProgram(name: keyof typeof GO_PROGRAMS): Promise<string> {
  const module = GO_PROGRAMS[name]
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache')
  const directory = path.join(cache, 'audit-trace-exporter', 'go', module.replaceAll('/', '_'))
  const program = path.join(directory, name)
  // `go install` renames the finished program into place: what is there is whole.
  if (existsSync(program)) return program
  const go = findProgram('go') ?? findProgram('../local/go/bin/go')
  if (go === undefined) return skipTest(`needs ${name}, which Go builds, and there is no go on PATH`)
  if (!running.has(name)) {
    process.stderr.write(`test set-up: go install ${module} (once; may take minutes)\n`)
    running.set(
      name,
      promisify(execFile)(go, ['install', module], { env: { ...process.env, GOBIN: directory } }),
    )
  }
  await running.get(name)
  return program
}
