// Writes the packages that are published as tarballs: `npm run packages`. dist/program must be there: `npm run bundle`.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { copyDocuments } from './documents.ts'
import { thirdPartyLicenses } from './licenses.ts'
import { PUBLISHED, type Published } from './manifests.ts'
import { bundledTypes } from './types.ts'

const ROOT = path.join(import.meta.dirname, '..')
const PROGRAM = path.join(ROOT, 'dist/program')

const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist/packages' } } })

/** Every file of the bundle that the given ones load, themselves included. */
function withImports(files: readonly string[]): string[] {
  const chunks = new Set(readdirSync(PROGRAM))
  const found = new Set(files)
  for (const file of found) {
    if (!file.endsWith('.js')) continue
    const code = readFileSync(path.join(PROGRAM, file), 'utf8')
    // Names in comments of bundled packages are not names of chunks.
    for (const [, name = ''] of code.matchAll(/"\.\/([^"\n]+\.js)"/gu)) if (chunks.has(name)) found.add(name)
  }
  return [...found]
}

/** `require` of an ES module is as good as an import, but older versions of Node.js refuse it without saying why. */
const commonJs = (entry: string): string => `'use strict'
require('./require-node.cjs')
module.exports = require('./${entry}.js')
`

/** Entry points for Temporal's sandbox, which has no version of Node.js to look at. */
const SANDBOXED = new Set(['workflows', 'prompts'])

const sandboxed = (entry: string): string => `'use strict'\nmodule.exports = require('./${entry}.js')\n`

async function stage(published: Published, directory: string, declarations: string): Promise<void> {
  const { manifest, entries, programs, documents } = published
  const dist = path.join(directory, 'dist')
  mkdirSync(dist, { recursive: true })
  const files = withImports([...entries.map((entry) => `${entry}.js`), ...programs, 'require-node.cjs'])
  for (const file of files) cpSync(path.join(PROGRAM, file), path.join(dist, file), { recursive: true })
  for (const entry of entries) {
    const types = await bundledTypes(declarations, entry)
    writeFileSync(path.join(dist, `${entry}.d.ts`), types)
    writeFileSync(path.join(dist, `${entry}.d.cts`), types)
    writeFileSync(path.join(dist, `${entry}.cjs`), SANDBOXED.has(entry) ? sandboxed(entry) : commonJs(entry))
  }
  const codes = files
    .filter((file) => file.endsWith('.js'))
    .map((file) => readFileSync(path.join(dist, file), 'utf8'))
  writeFileSync(path.join(directory, 'THIRD-PARTY-LICENSES.txt'), thirdPartyLicenses(codes))
  copyDocuments(documents, path.join(directory, 'docs'))
  cpSync(path.join(ROOT, 'LICENSE'), path.join(directory, 'LICENSE'))
  cpSync(path.join(import.meta.dirname, manifest.name, 'README.md'), path.join(directory, 'README.md'))
  writeFileSync(path.join(directory, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

const temporary = mkdtempSync(path.join(os.tmpdir(), 'audit-packages-'))
try {
  rmSync(values.out, { recursive: true, force: true })
  mkdirSync(values.out, { recursive: true })
  const declarations = path.join(temporary, 'types')
  const tsc = path.join(ROOT, 'node_modules/.bin/tsc')
  execFileSync(tsc, ['-p', path.join(ROOT, 'tsconfig.build.json'), '--outDir', declarations], {
    stdio: 'inherit',
  })
  for (const published of PUBLISHED) {
    const directory = path.join(temporary, published.manifest.name)
    await stage(published, directory, declarations)
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', path.resolve(values.out)]
    const [packed] = JSON.parse(execFileSync('npm', pack, { cwd: directory, encoding: 'utf8' })) as [
      { filename: string; unpackedSize: number; entryCount: number },
    ]
    const size = `${(packed.unpackedSize / 1e6).toFixed(1)} MB`
    console.log(`${path.join(values.out, packed.filename)}: ${size}, ${packed.entryCount} files`)
  }
} finally {
  rmSync(temporary, { recursive: true, force: true })
}
