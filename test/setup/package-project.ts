import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** Directory of the real `tsc` and `eslint`; the packages under test do not contain them. */
export const toolsDir = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url))

/** A small package for the real npm, tsc, eslint and node:test: plain JavaScript with checked types. */
export const packageFiles: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({
    name: 'sum',
    version: '1.0.0',
    private: true,
    type: 'module',
    scripts: {
      build: 'tsc --noEmit --allowJs --checkJs --strict --target es2022 --module nodenext src/sum.js',
      lint: 'eslint src',
      test: 'node --test src/sum.test.js',
    },
  }),
  'eslint.config.js': `export default [{ rules: { eqeqeq: 'error', 'no-unused-vars': 'error' } }]\n`,
  'src/sum.js': `/** @param {number[]} numbers */\nexport const sum = (numbers) => numbers.reduce((a, b) => a + b, 0)\n`,
  'src/sum.test.js': [
    `import test from 'node:test'`,
    `import assert from 'node:assert'`,
    `import { sum } from './sum.js'`,
    `test('adds up', () => assert.equal(sum([1, 2]), 3))`,
    '',
  ].join('\n'),
}

/** Faulty versions of `src/sum.js`, by the error type that the checks report for them. */
export const brokenSources = {
  TSC_ERROR: `/** @param {number[]} numbers */\nexport const sum = (numbers) => numbers.total()\n`,
  ESLINT_ERROR_EQEQEQ: `/** @param {number[]} numbers */\nexport const sum = (numbers) => (numbers.length == 0 ? 0 : numbers.reduce((a, b) => a + b, 0))\n`,
  NODE_TEST_FAILURE: `/** @param {number[]} numbers */\nexport const sum = (numbers) => numbers.length\n`,
} as const

export function writePackage(dir: string, changed: Readonly<Record<string, string>> = {}): void {
  for (const [name, content] of Object.entries({ ...packageFiles, ...changed })) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    writeFileSync(path.join(dir, name), content)
  }
}
