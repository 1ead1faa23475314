import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '../..')
const SOURCES = [
  'package.json',
  'LICENSE',
  'README.md',
  'rolldown.config.ts',
  'tsconfig.json',
  'tsconfig.build.json',
  'src',
  'docker',
  'grafana',
  'prometheus',
  'deploy',
  'docs/runbook.md',
]

/** Builds and packs a copy of the project, as npm does; returns the archive. The checkout's `dist` is left alone. */
export function packProject(directory: string): string {
  const copy = path.join(directory, 'project')
  for (const name of SOURCES) cpSync(path.join(ROOT, name), path.join(copy, name), { recursive: true })
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'))
  const npm = (...args: string[]): string =>
    execFileSync('npm', args, { cwd: copy, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  npm('run', 'build')
  const [{ filename }] = JSON.parse(npm('pack', '--json', '--ignore-scripts')) as [{ filename: string }]
  return path.join(copy, filename)
}

/** Unpacks the archive below the `node_modules` of a user's directory, beside the named packages of the checkout. */
export function installPackage(archive: string, user: string, others: readonly string[]): string {
  const installed = path.join(user, 'node_modules', 'audit-trace-exporter')
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['--extract', '--file', archive, '--directory', installed, '--strip-components=1'])
  for (const name of others) {
    const link = path.join(user, 'node_modules', name)
    mkdirSync(path.dirname(link), { recursive: true })
    symlinkSync(path.join(ROOT, 'node_modules', name), link)
  }
  return user
}
