import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

/** Programs that Debian does not package, by module and version. The first build of one may take minutes. */
export const GO_PROGRAMS = {
  temporal: 'github.com/temporalio/cli/cmd/temporal@v1.5.1',
} as const

export type GoProgram = keyof typeof GO_PROGRAMS

const running = new Map<string, Promise<unknown>>()

/** Returns the path of a Go program, which `go` builds into the user's cache when it is first needed. */
export async function buildGoProgram(name: GoProgram, findGo: () => string): Promise<string> {
  const module = GO_PROGRAMS[name]
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache')
  const directory = path.join(cache, 'audit-trace-exporter', 'go', module.replaceAll('/', '_'))
  const program = path.join(directory, name)
  // `go install` renames the finished program into place, so an existing file is complete.
  if (existsSync(program)) return program
  const go = findGo()
  if (!running.has(name)) {
    process.stderr.write(`go install ${module} (once; may take minutes)\n`)
    running.set(
      name,
      promisify(execFile)(go, ['install', module], { env: { ...process.env, GOBIN: directory } }),
    )
  }
  await running.get(name)
  return program
}
