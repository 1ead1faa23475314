import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { DEFAULT_OPTIONS } from '../../prometheus/options.ts'
import { ruleFiles } from '../../prometheus/rules.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { GENERATIONS, requireGeneration } from '../setup/generations.ts'

const directory = path.resolve(import.meta.dirname, '../../prometheus')
const contents = (of: string): Record<string, string> =>
  Object.fromEntries(readdirSync(of).map((file) => [file, readFileSync(path.join(of, file), 'utf8')]))

test('the committed rules are what `npm run generate` writes', () => {
  expect(contents(path.join(directory, 'rules'))).toEqual(Object.fromEntries(ruleFiles(DEFAULT_OPTIONS)))
})

test('every series of an exporter carries the selector, and no alert expects a target that may be missing', async () => {
  const out = temporaryDirectory()
  const args = [
    '--selector',
    'namespace="ci"',
    '--expected',
    '',
    '--runbook',
    'https://example.org/runbook',
    '--out',
    out,
  ]
  execFileSync(process.execPath, [path.join(directory, 'build.ts'), ...args])
  const rules = Object.values(contents(out)).join('\n')
  const code = rules.replaceAll(/^ *(#|- record:|description:|summary:).*$/gm, '')
  const selections = [...code.matchAll(/(?<![\w:"])(audit_[a-z_]+|up)(?![\w:(])(\{[^}]*\})?/g)].filter(
    ([, name]) => !name!.startsWith('audit_context_order'),
  )
  expect(selections.length).toBeGreaterThan(100)
  expect(selections.filter(([, , where = '']) => !where.includes('namespace="ci"'))).toEqual([])
  expect(code).not.toContain('absent(')
  expect(rules).toContain('runbook_url: https://example.org/runbook#auditexportergone')
  for (const generation of GENERATIONS) {
    const promtool = await requireGeneration(generation, 'promtool')
    const files = readdirSync(out).map((file) => path.join(out, file))
    expect(execFileSync(promtool, ['check', 'rules', ...files], { encoding: 'utf8' })).toContain('SUCCESS')
  }
})

test('by default a target of the job is expected', () => {
  expect(ruleFiles(DEFAULT_OPTIONS).get('alerts.yml')).toContain('absent(up{job="audit-trace-exporter"})')
})
