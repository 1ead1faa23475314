import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { DEFAULT_OPTIONS } from '../../prometheus/options.ts'
import { assets as writtenAssets } from '../../src/assets/assets.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { GENERATIONS, requireGeneration } from '../setup/generations.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** Runs `assets` from the sources; returns the written texts by path. */
function assets(out: string, ...flags: string[]): Record<string, string> {
  execFileSync(process.execPath, [path.join(ROOT, 'src/main.ts'), 'assets', '--out', out, ...flags])
  const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const file = path.join(parentPath, name)
      return [path.relative(out, file), readFileSync(file, 'utf8')]
    }),
  )
}

const GENERATED = ['grafana/dashboards', 'prometheus/rules', 'deploy/kubernetes/monitoring']

test('by default it writes the committed files, and all of those that are generated', () => {
  const written = assets(temporaryDirectory())
  for (const [name, text] of Object.entries(written))
    expect(readFileSync(path.join(ROOT, name), 'utf8'), name).toBe(text)
  const committed = GENERATED.flatMap((directory) =>
    readdirSync(path.join(ROOT, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name))),
  )
  expect(Object.keys(written)).toEqual(expect.arrayContaining(committed))
  expect(written['prometheus/rules/alerts.yml']).toContain('absent(up{job="audit-trace-exporter"})')
  for (const name of [
    'deploy/kubernetes/deployment/deployment.yaml',
    'deploy/systemd/audit-trace-exporter.service',
    'docs/runbook.md',
  ])
    expect(Object.keys(written)).toContain(name)
  expect(Object.keys(written).filter((name) => name.endsWith('.ts'))).toEqual([])
})

test('every series of an exporter carries the selector, and no alert expects a target that may be missing', async () => {
  const out = temporaryDirectory()
  const url = 'https://example.org/runbook'
  const selector = ['--prometheus-selector', 'namespace="ci"', '--expected-targets', '']
  const written = assets(out, ...selector, '--runbook-url', url)
  const rules = Object.entries(written)
    .filter(([name]) => name.startsWith('prometheus/rules/'))
    .map(([, text]) => text)
    .join('\n')
  const code = rules.replaceAll(/^ *(#|- record:|description:|summary:).*$/gm, '')
  const selections = [...code.matchAll(/(?<![\w:"])(audit_[a-z_]+|up)(?![\w:(])(\{[^}]*\})?/g)].filter(
    ([, name]) => !name!.startsWith('audit_context_order'),
  )
  expect(selections.length).toBeGreaterThan(100)
  expect(selections.filter(([, , where = '']) => !where.includes('namespace="ci"'))).toEqual([])
  expect(code).not.toContain('absent(')
  expect(rules).toContain(`runbook_url: ${url}#auditexportergone`)
  expect(written['grafana/dashboards/audit-overview.json']).toContain(url)
  expect(written['deploy/kubernetes/monitoring/dashboards/audit-overview.yaml']).toContain(url)
  expect(written['deploy/kubernetes/monitoring/prometheus-rule.yaml']).toContain('namespace="ci"')
  for (const generation of GENERATIONS) {
    const promtool = await requireGeneration(generation, 'promtool')
    const directory = path.join(out, 'prometheus/rules')
    const files = readdirSync(directory).map((file) => path.join(directory, file))
    expect(execFileSync(promtool, ['check', 'rules', ...files], { encoding: 'utf8' })).toContain('SUCCESS')
  }
})

test('the same options give the same files again', () => {
  expect(writtenAssets(DEFAULT_OPTIONS)).toEqual(writtenAssets(DEFAULT_OPTIONS))
})

test.each([
  ['job=ci', 'is not a list of label matchers'],
  ['{job="ci"}', 'is not a list of label matchers'],
  ['job="ci" namespace="ci"', 'is not a list of label matchers'],
])('the selector %s is refused before anything is written', (selector, sentence) => {
  const out = path.join(temporaryDirectory(), 'out')
  const args = ['assets', '--out', out, '--prometheus-selector', selector]
  const { status, stderr } = spawnSync(process.execPath, [path.join(ROOT, 'src/main.ts'), ...args], {
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([2, expect.stringContaining(sentence)])
  expect(() => readdirSync(out)).toThrow('ENOENT')
})
