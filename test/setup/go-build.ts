import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { CACHE, exclusively } from './cache.ts'

/** Programs without a Debian package, each a Go package at a version of its module. A first build takes minutes. */
export const GO_PROGRAMS = {
  compose: 'github.com/docker/compose/v2/cmd@v2.40.3',
  temporal: 'github.com/temporalio/cli/cmd/temporal@v1.5.1',
  // 3.13, the newest Prometheus 3 that Go 1.26 builds; Debian has Prometheus 2.
  prometheus: 'github.com/prometheus/prometheus/cmd/prometheus@v0.313.5',
  promtool: 'github.com/prometheus/prometheus/cmd/promtool@v0.313.5',
  kustomize: 'sigs.k8s.io/kustomize/kustomize/v5@v5.8.1',
} as const

export type GoProgram = keyof typeof GO_PROGRAMS

/** The path of a Go program. The first call builds it into the user's cache directory, with the Go of `findGo`. */
export async function buildGoProgram(name: GoProgram, findGo: () => string): Promise<string> {
  const source = GO_PROGRAMS[name]
  const builds = path.join(CACHE, 'go')
  const program = path.join(builds, source.replaceAll('/', '_'), name)
  if (existsSync(program)) return program
  const go = findGo()
  mkdirSync(path.dirname(program), { recursive: true })
  // Programs share packages: one build after another is faster than two at once.
  await exclusively(path.join(builds, 'lock'), async () => {
    if (!existsSync(program)) await build(go, source, program)
  })
  return program
}

/** Builds in an empty module: `go install package@version` refuses modules with replace directives. */
async function build(go: string, source: string, program: string): Promise<void> {
  process.stderr.write(`go build ${source} (once; may take minutes)\n`)
  const scratch = `${program}.build-${process.pid}`
  rmSync(scratch, { recursive: true, force: true })
  mkdirSync(scratch)
  const run = (...args: string[]) =>
    promisify(execFile)(go, args, { cwd: scratch, env: { ...process.env, GOWORK: 'off' } })
  try {
    await run('mod', 'init', 'audit-trace-exporter-programs')
    await run('get', source)
    await run('build', '-o', 'program', source.replace(/@.*/, ''))
    // A rename, so that a program that is there is complete.
    renameSync(path.join(scratch, 'program'), program)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
