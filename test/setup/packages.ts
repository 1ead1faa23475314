import { execFile, execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { inject } from 'vitest'
import { exclusively } from './cache.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const SOURCES = [
  'package.json',
  'LICENSE',
  'rolldown.config.ts',
  'tsconfig.json',
  'tsconfig.build.json',
  'packages',
  'src',
  'docker',
  'grafana',
  'prometheus',
  'deploy',
  'docs',
]

export type PackageName = 'audit-trace-capture' | 'audit-trace-exporter'

/**
 * The tarballs that `npm run packages` writes, by name. Built from a copy of the project, so that the checkout's `dist` is
 * left alone, and once for all tests of a run.
 */
export async function packed(): Promise<Record<PackageName, string>> {
  const copy = path.join(inject('runDirectory'), 'project')
  const tarballs = path.join(copy, 'dist/packages')
  await exclusively(`${copy}.lock`, async () => {
    if (existsSync(tarballs)) return
    for (const name of SOURCES) cpSync(path.join(ROOT, name), path.join(copy, name), { recursive: true })
    symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'))
    await promisify(execFile)('npm', ['run', '--silent', 'packages'], { cwd: copy })
  })
  const tarball = (name: string): string =>
    path.join(
      tarballs,
      readdirSync(tarballs).find((file) => file.startsWith(name))!,
    )
  return {
    'audit-trace-capture': tarball('audit-trace-capture'),
    'audit-trace-exporter': tarball('audit-trace-exporter'),
  }
}

/** Installs tarballs with npm into a user's directory, without any registry. */
export function install(user: string, tarballs: readonly string[]): void {
  mkdirSync(user, { recursive: true })
  writeFileSync(path.join(user, 'package.json'), '{ "private": true, "type": "module" }')
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', '--loglevel=error', ...tarballs], {
    cwd: user,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

/** Another user with the same packages, and with packages of the checkout. */
export function copyWith(user: string, other: string, packages: readonly string[]): void {
  cpSync(user, other, { recursive: true })
  addPackages(other, packages)
}

/** Adds packages of the checkout to those of a user. */
export function addPackages(user: string, packages: readonly string[]): void {
  for (const name of packages) {
    const link = path.join(user, 'node_modules', name)
    mkdirSync(path.dirname(link), { recursive: true })
    symlinkSync(path.join(ROOT, 'node_modules', name), link)
  }
}
