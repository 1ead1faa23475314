import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const MODULES = path.join(import.meta.dirname, '../node_modules')

/** The licenses of every package of which the given chunks contain code. */
export function thirdPartyLicenses(chunks: readonly string[]): string {
  // rolldown writes above each module where it comes from: `// node_modules/zod/v4/core/util.js`.
  const origin = /^\/\/ (?:\S*?\/)?node_modules\/((?:\S+\/node_modules\/)?(?:@[^/\s]+\/)?[^/\s]+)\//gmu
  const names = chunks.flatMap((code) => [...code.matchAll(origin)].map(([, name = '']) => name))
  return [...new Set(names)].toSorted().map(license).join('\n')
}

function license(packageName: string): string {
  const root = path.join(MODULES, packageName)
  const { name, version, license } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    name: string
    version: string
    license: string
  }
  const texts = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(?:licen[cs]e|notice)/iu.test(entry.name))
    .map((entry) => entry.name)
  return [
    `${name} ${version} (${license})`,
    '',
    ...texts.map((file) => readFileSync(path.join(root, file), 'utf8').trimEnd()),
    '',
  ].join('\n')
}
